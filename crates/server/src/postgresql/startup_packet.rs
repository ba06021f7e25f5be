//! What a client sends before it is let in.

use std::collections::BTreeMap;

use datafusion_postgres::pgwire::messages::startup::Startup;

/// What a client wants of a new connection.
#[derive(Debug, PartialEq)]
pub(super) enum StartUpPacket {
    /// To go on over TLS.
    Tls,
    /// To go on with the encryption of GSSAPI.
    Gss,
    /// To end the statement of another connection.
    Cancel { pid: i32, key: Vec<u8> },
    /// To be let in.
    Start(Startup),
}

/// Why a start-up packet is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unacceptable {
    #[error("version {major}.{minor} of the protocol is not known; the server has 3.0 to 3.2")]
    Version { major: u16, minor: u16 },
    #[error("the start-up packet is not laid out as names and values")]
    Layout,
    #[error("a name or a value in the start-up packet is not UTF-8")]
    NotText,
    #[error("the start-up packet names the {0} twice")]
    Twice(&'static str),
}

const CANCEL: i32 = 80_877_102;
const TLS: i32 = 80_877_103;
const GSS: i32 = 80_877_104;

/// Parameters that say who asks, and for what. The last of two would win, and a gateway may have read the first.
const ONCE: [&str; 2] = ["user", "database"];

impl StartUpPacket {
    /// The packet in these bytes, whose first four are their number.
    pub(super) fn parse(packet: &[u8]) -> Result<Self, Unacceptable> {
        let (code, rest) =
            packet.get(4..).and_then(|rest| rest.split_first_chunk::<4>()).ok_or(Unacceptable::Layout)?;
        match i32::from_be_bytes(*code) {
            TLS => Ok(Self::Tls),
            GSS => Ok(Self::Gss),
            CANCEL => {
                let (pid, key) = rest.split_first_chunk().ok_or(Unacceptable::Layout)?;
                Ok(Self::Cancel { pid: i32::from_be_bytes(*pid), key: key.to_vec() })
            }
            _ => {
                let [a, b, c, d] = *code;
                let (major, minor) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                if major != Startup::PG_PROTOCOL_LATEST {
                    return Err(Unacceptable::Version { major, minor });
                }
                let mut startup = Startup::new();
                (startup.protocol_number_major, startup.protocol_number_minor) = (major, minor);
                startup.parameters = parameters(rest)?;
                Ok(Self::Start(startup))
            }
        }
    }
}

/// Names and values, each of which ends with a zero, and a zero at the end.
fn parameters(bytes: &[u8]) -> Result<BTreeMap<String, String>, Unacceptable> {
    let names_and_values = bytes.strip_suffix(&[0]).ok_or(Unacceptable::Layout)?;
    let mut parameters = BTreeMap::new();
    if names_and_values.is_empty() {
        return Ok(parameters);
    }
    let texts = names_and_values.strip_suffix(&[0]).ok_or(Unacceptable::Layout)?;
    let texts: Vec<&str> = texts
        .split(|byte| *byte == 0)
        .map(|text| std::str::from_utf8(text).map_err(|_| Unacceptable::NotText))
        .collect::<Result<_, _>>()?;
    for pair in texts.chunks(2) {
        let [name, value] = pair else { return Err(Unacceptable::Layout) };
        if name.is_empty() {
            return Err(Unacceptable::Layout);
        }
        let before = parameters.insert((*name).to_owned(), (*value).to_owned());
        if let Some(twice) = ONCE.into_iter().find(|once| before.is_some() && once == name) {
            return Err(Unacceptable::Twice(twice));
        }
    }
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(code: [u8; 4], rest: &[u8]) -> Result<StartUpPacket, Unacceptable> {
        StartUpPacket::parse(&[&[0, 0, 0, 0][..], &code, rest].concat())
    }

    #[test]
    fn a_packet_asks_for_encryption_or_for_an_end_or_to_be_let_in() {
        assert_eq!(parse([4, 210, 22, 47], b""), Ok(StartUpPacket::Tls));
        assert_eq!(parse([4, 210, 22, 48], b""), Ok(StartUpPacket::Gss));
        let cancel = StartUpPacket::Cancel { pid: 7, key: b"key".to_vec() };
        assert_eq!(parse([4, 210, 22, 46], b"\0\0\0\x07key"), Ok(cancel));
        let Ok(StartUpPacket::Start(startup)) = parse([0, 3, 0, 0], b"user\0a\0database\0\0\0") else {
            panic!("this is how a client starts");
        };
        let expected = [("database", ""), ("user", "a")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(startup.parameters, BTreeMap::from(expected));
        assert!(matches!(parse([0, 3, 0, 0], b"\0"), Ok(StartUpPacket::Start(_))));
    }

    #[test]
    fn who_asks_and_for_what_is_said_once() {
        for name in ["user", "database"] {
            let packet = format!("{name}\0a\0x\0y\0{name}\0a\0\0");
            assert_eq!(parse([0, 3, 0, 0], packet.as_bytes()), Err(Unacceptable::Twice(name)));
        }
        assert!(parse([0, 3, 0, 0], b"user\0a\0options\0b\0options\0c\0\0").is_ok());
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(parse([0, 2, 0, 0], b"\0"), Err(Unacceptable::Version { major: 2, minor: 0 }));
        assert_eq!(parse([0, 3, 0, 0], b"user\0\xff\0\0"), Err(Unacceptable::NotText));
        for rest in
            [&b""[..], b"user", b"user\0", b"user\0\0", b"user\0a", b"user\0a\0", b"\0\0", b"\0a\0\0", b"a\0b\0c\0\0"]
        {
            assert_eq!(parse([0, 3, 0, 0], rest), Err(Unacceptable::Layout), "{rest:?}");
        }
        assert_eq!(StartUpPacket::parse(b""), Err(Unacceptable::Layout));
        assert_eq!(parse([4, 210, 22, 46], b"\0\0"), Err(Unacceptable::Layout));
    }
}
