//! Buckets of S3. Credentials are found as other tools find them: in the environment, then in a profile, then in the
//! role of the machine.

use std::collections::HashMap;
use std::path::PathBuf;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{ClientOptions, RetryConfig};

/// The timeout of a request, in seconds.
const SILENCE_SECONDS: u64 = 30;

/// The number of times that a failed request is repeated.
const RETRIES: usize = 3;

/// The settings of a profile that are understood, by their names in the file.
const PROFILE_KEYS: [(&str, AmazonS3ConfigKey); 6] = [
    ("aws_access_key_id", AmazonS3ConfigKey::AccessKeyId),
    ("aws_secret_access_key", AmazonS3ConfigKey::SecretAccessKey),
    ("aws_session_token", AmazonS3ConfigKey::Token),
    ("region", AmazonS3ConfigKey::Region),
    ("endpoint_url", AmazonS3ConfigKey::Endpoint),
    ("skip_signature", AmazonS3ConfigKey::SkipSignature),
];

/// Settings of a profile that replace keys, and are not understood here.
const OTHER_WAYS: [&str; 5] =
    ["sso_session", "sso_start_url", "role_arn", "credential_process", "web_identity_token_file"];

pub(super) fn open(bucket: &str) -> object_store::Result<AmazonS3> {
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let profile = Profile::read();
    if let Some(way) = profile.misses_keys()
        && builder.get_config_value(&AmazonS3ConfigKey::AccessKeyId).is_none()
    {
        let problem = format!(
            "the profile {} has no keys but {way}, which is not understood here; \
             `aws configure export-credentials --format env` makes keys of it",
            profile.name
        );
        return Err(object_store::Error::Generic { store: "S3", source: problem.into() });
    }
    // The environment wins. If it has keys, no key or token of the profile is taken, since the two would not fit
    // together.
    let has_keys = builder.get_config_value(&AmazonS3ConfigKey::AccessKeyId).is_some();
    for (name, key) in PROFILE_KEYS {
        let is_of_keys = name.starts_with("aws_");
        match profile.values.get(name) {
            Some(value) if !(is_of_keys && has_keys) && builder.get_config_value(&key).is_none() => {
                builder = builder.with_config(key, value);
            }
            _ => {}
        }
    }
    if let Some(endpoint) = std::env::var("AWS_ENDPOINT_URL_S3").ok().filter(|endpoint| !endpoint.is_empty()) {
        builder = builder.with_endpoint(endpoint);
    }
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
    // A URL with http:// says that the connection need not be encrypted.
    let is_plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    let silence = std::time::Duration::from_secs(SILENCE_SECONDS);
    let client = ClientOptions::new().with_allow_http(is_plain).with_timeout(silence);
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: silence, ..RetryConfig::default() };
    builder.with_client_options(client).with_retry(retry).build()
}

/// The profile that `AWS_PROFILE` names, read from the config file and from the credentials file.
struct Profile {
    name: String,
    values: HashMap<String, String>,
}

impl Profile {
    fn read() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let name = variable("AWS_PROFILE").or_else(|| variable("AWS_DEFAULT_PROFILE")).unwrap_or("default".to_owned());
        let in_home = |file: &str| std::env::home_dir().map(|home| home.join(".aws").join(file));
        let file = |from: &str, file: &str| variable(from).map(PathBuf::from).or_else(|| in_home(file));
        let mut values = HashMap::new();
        for (path, sections) in [
            (file("AWS_CONFIG_FILE", "config"), [format!("profile {name}"), name.clone()]),
            (file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), [name.clone(), name.clone()]),
        ] {
            let text = path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
            values.extend(section(&text, &sections));
        }
        Self { name, values }
    }

    /// The setting with which the profile gets keys, if it has none itself.
    fn misses_keys(&self) -> Option<&'static str> {
        let has = |key: &&str| self.values.contains_key(*key);
        if has(&"aws_access_key_id") { None } else { OTHER_WAYS.into_iter().find(has) }
    }
}

/// The settings of a section. A section is a line `[name]`, followed by lines `key = value`.
fn section(text: &str, names: &[String]) -> HashMap<String, String> {
    let mut is_inside = false;
    let mut values = HashMap::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        if let Some(name) = line.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            is_inside = names.iter().any(|wanted| wanted == name.trim());
        // An indented line belongs to the setting above it.
        } else if is_inside
            && !line.starts_with([' ', '\t'])
            && let Some((key, value)) = line.split_once('=')
        {
            values.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_as_those_files_are_written() {
        let text = "[default]\nregion = eu-west-1\n\n[profile wall]\n# a remark\naws_access_key_id=AKIA\n\
                    s3 =\n    endpoint_url = http://no\nREGION = us-east-2\n[other]\nregion = none\n";
        let values = section(text, &["profile wall".to_owned(), "wall".to_owned()]);
        let expected = [("aws_access_key_id", "AKIA"), ("s3", ""), ("region", "us-east-2")];
        assert_eq!(values, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        assert_eq!(section(text, &["default".to_owned()])["region"], "eu-west-1");
        assert!(section(text, &["unknown".to_owned()]).is_empty());
    }
}
