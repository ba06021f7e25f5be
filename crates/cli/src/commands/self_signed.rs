//! The command `tls self-signed`: a certificate to try TLS with.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};

use crate::arguments::SelfSignedArguments;
use crate::output::{self, Usage};

/// As long as the certificate is valid. Some clients take none that is valid for longer than 398 days.
const DAYS: u64 = 365;

/// The clocks of clients may be behind by as much.
const HOURS_BEFORE: u64 = 24;

/// Writes a certificate that has signed itself, and its key.
pub(crate) fn run(arguments: &SelfSignedArguments) -> Result<ExitCode> {
    let key = KeyPair::generate().context("cannot make a key")?;
    let certificate = parameters(&arguments.host)?.self_signed(&key).context("cannot make a certificate")?;
    let (cert_file, key_file) = (arguments.out.join("cert.pem"), arguments.out.join("key.pem"));
    std::fs::create_dir_all(&arguments.out).with_context(|| format!("cannot make {}", arguments.out.display()))?;
    for path in [&cert_file, &key_file] {
        if path.symlink_metadata().is_ok() {
            bail!(
                "{} is there already, and is not overwritten: remove it, or name another folder with --out",
                path.display()
            );
        }
    }
    write_new(&key_file, 0o600, &key.serialize_pem())?;
    write_new(&cert_file, 0o644, &certificate.pem())?;
    let host = arguments.host.first().map(String::as_str).unwrap_or_default();
    tell(&cert_file, &key_file, host);
    Ok(ExitCode::SUCCESS)
}

fn parameters(hosts: &[String]) -> Result<CertificateParams> {
    let hosts: Vec<String> = hosts.iter().map(|host| bare(host)).collect::<Result<_>>()?;
    let mut parameters = CertificateParams::new(hosts.clone())
        .map_err(|error| Usage::error(format!("--host takes names and IP addresses: {error}")))?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, hosts.first().map(String::as_str).unwrap_or_default());
    parameters.distinguished_name = name;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now();
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    parameters.not_before = now.checked_sub(hours(HOURS_BEFORE)).unwrap_or(now).into();
    parameters.not_after = now.checked_add(hours(24 * DAYS)).unwrap_or(now).into();
    Ok(parameters)
}

/// A name or an address without what stands around it in a URL.
fn bare(host: &str) -> Result<String> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let is_name = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._*:".contains(&byte));
    let is_address = bare.parse::<std::net::IpAddr>().is_ok();
    if is_address || (is_name && !bare.contains(':')) {
        return Ok(bare.to_owned());
    }
    Err(Usage::error(format!(
        "--host takes a name or an IP address, without a port, such as reports.example; not {host}"
    )))
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<()> {
    let open = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = open.and_then(|mut file: File| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!("{} is there already", path.display()),
        written => written.with_context(|| format!("cannot write {}", path.display())),
    }
}

/// Says what there is now, and what to type next.
fn tell(cert_file: &Path, key_file: &Path, host: &str) {
    let shown = |path: &PathBuf| path.display().to_string();
    let (cert, key) = (shown(&cert_file.to_owned()), shown(&key_file.to_owned()));
    let host = if host.contains(':') { format!("[{}]", host.trim_matches(['[', ']'])) } else { host.to_owned() };
    output::print(&format!("wrote {cert} and {key}, valid for {DAYS} days; next:"));
    output::print(&format!("  skillscope serve --tls-cert {cert} --tls-key {key}"));
    output::print(&format!("  skillscope sql --url https://{host}:8080 --ca-cert {cert} -c 'select 1'"));
}
