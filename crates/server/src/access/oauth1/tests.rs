//! Signatures by the examples of the RFCs, and by a signer that was written a second time.

use proptest::prelude::*;

use super::*;

/// The request of RFC 5849, section 3.4.1.1, without its body, which no route takes: its parameters stand in the query.
const PATH: &str = "/request";
const QUERY: &str = "b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q";
const HEADER: &str = "OAuth realm=\"Example\",
    oauth_consumer_key=\"9djdj82h48djs9d2\",
    oauth_token=\"kkk9d7dh3k39sjv7\",
    oauth_signature_method=\"HMAC-SHA1\",
    oauth_timestamp=\"137131201\",
    oauth_nonce=\"7d8f3e4a\",
    oauth_signature=\"bYT5CMsGcbgUdFHObYMEfcx6bsw%3D\"";

fn asked<'r>(path: &'r str, query: &'r str) -> AskedUrl<'r> {
    AskedUrl { method: "POST", scheme: "http", host: "example.com", path, query }
}

fn read(asked: &AskedUrl<'_>, header: &str) -> Option<SignedRequest> {
    SignedRequest::read(asked, Some(header.as_bytes())).expect("it claims to be signed").ok()
}

fn keys(consumer_secret: &str, token_secret: &str) -> SigningKeys {
    SigningKeys {
        consumer_key: "9djdj82h48djs9d2".to_owned(),
        consumer_secret: consumer_secret.to_owned(),
        token: "kkk9d7dh3k39sjv7".to_owned(),
        token_secret: token_secret.to_owned(),
    }
}

#[test]
fn the_base_string_is_that_of_the_rfc() {
    let signed = read(&asked(PATH, QUERY), HEADER).unwrap();
    assert_eq!(
        signed.base_string,
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    );
    assert_eq!(
        (signed.consumer_key(), signed.timestamp(), signed.nonce()),
        ("9djdj82h48djs9d2", 137_131_201, "7d8f3e4a")
    );
}

#[test]
fn the_url_is_that_of_the_rfc() {
    // Section 3.4.1.2.
    for (scheme, host, path, expected) in [
        ("HTTP", "EXAMPLE.COM:80", "/r%20v/X", "http://example.com/r%20v/X"),
        ("https", "www.example.net:8080", "/", "https://www.example.net:8080/"),
        ("https", "example.com:443", "", "https://example.com/"),
        ("https", "example.com:80", "/a/", "https://example.com:80/a/"),
        ("http", "[::1]:443", "/%7e/", "http://[::1]:443/%7e/"),
    ] {
        let asked = AskedUrl { method: "GET", scheme, host, path, query: "" };
        assert_eq!(asked.base_url(), expected);
    }
}

#[test]
fn the_signature_is_that_of_the_rfc() {
    // The secrets of section 3.1 sign the request as its erratum 2550 says.
    let header = HEADER.replace("bYT5CMsGcbgUdFHObYMEfcx6bsw%3D", "r6%2FTJjbCOr97%2F%2BUU0NsvSne7s5g%3D");
    let signed = read(&asked(PATH, QUERY), &header).unwrap();
    let known = keys("j49sk3j29djd", "dh893hdasih9");
    assert!(signed.is_signed_with(Some(&known)));
    assert!(!signed.is_signed_with(None));
    for wrong in [
        SigningKeys { consumer_secret: "other".to_owned(), ..known.clone() },
        SigningKeys { token_secret: "other".to_owned(), ..known.clone() },
        SigningKeys { token: "other".to_owned(), ..known.clone() },
    ] {
        assert!(!signed.is_signed_with(Some(&wrong)));
    }
}

/// The request of OAuth Core 1.0, appendix A.5, all of it in the query.
fn photos(method: &str, signature: &str) -> bool {
    let query = format!(
        "file=vacation.jpg&size=original&oauth_consumer_key=dpf43f3p2l4k3l03&oauth_token=nnch734d00sl2jdk&oauth_signature_method={method}&oauth_timestamp=1191242096&oauth_nonce=kllo9940pd9333jh&oauth_version=1.0&oauth_signature={signature}"
    );
    let asked = AskedUrl { method: "GET", scheme: "http", host: "photos.example.net", path: "/photos", query: &query };
    let known = SigningKeys {
        consumer_key: "dpf43f3p2l4k3l03".to_owned(),
        consumer_secret: "kd94hf93k423kf44".to_owned(),
        token: "nnch734d00sl2jdk".to_owned(),
        token_secret: "pfkkdhi9sl3r4s00".to_owned(),
    };
    SignedRequest::read(&asked, None).unwrap().unwrap().is_signed_with(Some(&known))
}

#[test]
fn a_request_is_signed_in_its_query_too_and_with_either_method() {
    assert!(photos("HMAC-SHA1", "tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D"));
    // Computed with Python's hmac.
    assert!(photos("HMAC-SHA256", "WVPzl1j6ZsnkIjWr7e3OZ3jkenL57KwaLFhYsroX1hg%3D"));
    assert!(!photos("HMAC-SHA256", "tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D"));
    for wrong in ["", "%3D", "tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM", "TR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D", "tR3%2BTy81"]
    {
        assert!(!photos("HMAC-SHA1", wrong), "{wrong:?}");
    }
}

#[test]
fn what_does_not_claim_to_be_signed_is_none_of_this() {
    let asked = asked("/", "a=1");
    for header in ["Bearer skt_a", "OAuth2 a=\"b\"", "Basic YTpi", "", "OAut"] {
        assert!(SignedRequest::read(&asked, Some(header.as_bytes())).is_none(), "{header}");
    }
    assert!(SignedRequest::read(&asked, None).is_none());
}

#[test]
fn what_cannot_be_understood_is_not_read() {
    let asked = asked(PATH, QUERY);
    assert!(read(&asked, HEADER).is_some());
    let version = |version: &str| HEADER.replace("oauth_nonce", &format!("oauth_version=\"{version}\", oauth_nonce"));
    assert!(read(&asked, &version("1.0")).is_some());
    let long = "n".repeat(MOST_NONCE_BYTES + 1);
    for (what, wrong) in [
        ("another version", version("2.0")),
        ("two versions", version("1.0\", oauth_version=\"1.0")),
        ("no nonce", HEADER.replace("oauth_nonce", "nonce")),
        ("an empty nonce", HEADER.replace("7d8f3e4a", "")),
        ("a long nonce", HEADER.replace("7d8f3e4a", &long)),
        ("two nonces", HEADER.replace("oauth_nonce", "oauth_nonce=\"a\", oauth_nonce")),
        ("no token", HEADER.replace("oauth_token", "token")),
        ("no consumer", HEADER.replace("oauth_consumer_key", "key")),
        ("secrets themselves", HEADER.replace("HMAC-SHA1", "PLAINTEXT")),
        ("another method", HEADER.replace("HMAC-SHA1", "RSA-SHA1")),
        ("no method", HEADER.replace("oauth_signature_method", "method")),
        ("no signature", HEADER.replace("oauth_signature=", "signature=")),
        ("a time that is none", HEADER.replace("137131201", "now")),
        ("a time before all", HEADER.replace("137131201", "-1")),
        ("a time beyond all", HEADER.replace("137131201", "99999999999999999999")),
        ("no quotation marks", HEADER.replace('"', "")),
        ("half a pair", HEADER.replace("oauth_nonce=", "oauth_nonce")),
        ("an open quotation", format!("{HEADER}, a=\"b")),
        ("no comma", HEADER.replacen("\",", "\" ", 1)),
        ("nothing", "OAuth".to_owned()),
    ] {
        assert!(read(&asked, &wrong).is_none(), "{what}");
    }
    let twice = AskedUrl { query: "oauth_nonce=7d8f3e4a", ..asked };
    assert!(read(&twice, HEADER).is_none(), "in the query and in the header");
    assert!(SignedRequest::read(&asked, Some(b"OAuth a=\"\xff\"")).unwrap().is_err());
}

/// A signer of its own: the RFC once more, by other means.
fn sign(method: &str, url: &str, parameters: &[(String, String)], key: &SigningKeys) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let mut pairs: Vec<String> = Vec::new();
    let mut sorted: Vec<(String, String)> =
        parameters.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    sorted.sort();
    sorted.iter().for_each(|(name, value)| pairs.push(format!("{name}={value}")));
    let text = format!("{method}&{}&{}", encode(url), encode(&pairs.join("&")));
    let secret = format!("{}&{}", encode(&key.consumer_secret), encode(&key.token_secret));
    // HMAC by its definition (RFC 2104).
    use sha2::Digest;
    let mut block = [0_u8; 64];
    let secret = if secret.len() > 64 { sha2::Sha256::digest(&secret).to_vec() } else { secret.into_bytes() };
    block.iter_mut().zip(&secret).for_each(|(to, from)| *to = *from);
    let inner = sha2::Sha256::digest([block.map(|byte| byte ^ 0x36).as_slice(), text.as_bytes()].concat());
    let outer = sha2::Sha256::digest([block.map(|byte| byte ^ 0x5c).as_slice(), &inner].concat());
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(outer)
}

proptest! {
    #[test]
    fn a_signed_request_is_taken_and_any_other_is_not(
        sent in proptest::collection::vec((".{0,6}", ".{0,6}"), 0..6),
        consumer_secret in ".{0,80}",
        token_secret in ".{0,20}",
        nonce in "[ -~]{1,20}",
        other in "[a-z]{1,5}",
    ) {
        let keys = keys(&consumer_secret, &token_secret);
        let own = [
            ("oauth_consumer_key", keys.consumer_key.as_str()),
            ("oauth_token", &keys.token),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", "1"),
            ("oauth_nonce", &nonce),
        ];
        let sent: Vec<(String, String)> = sent.into_iter().filter(|(name, _)| !name.starts_with("oauth_")).collect();
        let mut all = sent.clone();
        all.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let signature = sign("GET", "https://example.com/a", &all, &keys);
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&sent).finish();
        let pair = |(name, value): &(&str, &str)| {
            format!("{name}=\"{}\"", percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC))
        };
        let header = |own: &[(&str, &str)]| {
            let mut pairs: Vec<String> = own.iter().map(pair).collect();
            pairs.push(pair(&("oauth_signature", &signature)));
            format!("OAuth {}", pairs.join(", "))
        };
        let asked = AskedUrl { method: "GET", scheme: "https", host: "example.com", path: "/a", query: &query };
        let takes = |asked: &AskedUrl<'_>, header: &str, keys: &SigningKeys| {
            read(asked, header).is_some_and(|signed| signed.is_signed_with(Some(keys)))
        };
        prop_assert!(takes(&asked, &header(&own), &keys));
        let more = format!("{query}&{other}");
        for changed in [
            AskedUrl { method: "POST", ..asked },
            AskedUrl { scheme: "http", ..asked },
            AskedUrl { host: "example.com:444", ..asked },
            AskedUrl { path: "/b", ..asked },
            AskedUrl { query: &more, ..asked },
        ] {
            prop_assert!(!takes(&changed, &header(&own), &keys), "{changed:?}");
        }
        for changed in 0..own.len() {
            let mut own = own;
            own[changed].1 = match own[changed].0 {
                "oauth_timestamp" => "2",
                "oauth_signature_method" => "HMAC-SHA1",
                _ => "~other~",
            };
            prop_assert!(!takes(&asked, &header(&own), &keys), "{own:?}");
        }
        let added = [own.as_slice(), &[("oauth_callback", "x")]].concat();
        prop_assert!(!takes(&asked, &header(&added), &keys));
        let wrong = SigningKeys { consumer_secret: format!("{consumer_secret}x"), ..keys.clone() };
        prop_assert!(!takes(&asked, &header(&own), &wrong));
    }

    #[test]
    fn no_request_upsets_the_reader(header in any::<Vec<u8>>(), query in "\\PC{0,40}", signed in "[ -~]{0,60}") {
        for header in [header, format!("OAuth {signed}").into_bytes()] {
            let _ = SignedRequest::read(&asked("/", &query), Some(&header));
        }
        let _ = SignedRequest::read(&asked("/", &format!("oauth_signature=a&{query}")), None);
    }
}
