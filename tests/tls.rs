//! Everything over TLS: the clients of all protocols, and certificates that change.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Server, run, serve, skipped, stderr, succeed};
use crate::foreign;
use crate::process::{PATIENCE, Running, send_signal, until};
use crate::python::{self, Python};
use crate::sample;

const NOW: &str = "2018-01-18T08:51:55.679Z";

/// Writes a certificate for these names into a folder.
fn self_signed(folder: &Path, hosts: &str) {
    succeed(["tls", "self-signed", "--host", hosts, "--out", folder.to_str().unwrap()]);
}

/// A server over the sample whose protocols are all encrypted.
struct Encrypted {
    server: Server,
    postgresql: String,
    flight: String,
    folder: TempDir,
}

impl Encrypted {
    /// The certificate is for `hosts`.
    fn serve(hosts: &str) -> Self {
        let folder = TempDir::new().unwrap();
        self_signed(folder.path(), hosts);
        sample::import_into(&folder.path().join("data"));
        let mut command = serve();
        command.args(["--now", NOW, "--pg-listen", "127.0.0.1:0", "--flight-listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(folder.path().join("data")).arg("--tls-cert").arg(folder.path().join("cert.pem"));
        command.arg("--tls-key").arg(folder.path().join("key.pem"));
        let mut server = Server::spawn(&mut command);
        let (postgresql, flight) = (server.line(), server.line());
        Self { server, postgresql, flight, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn port(&self) -> u16 {
        self.server.address().rsplit(':').next().unwrap().parse().unwrap()
    }

    fn postgresql_port(&self) -> &str {
        self.postgresql.strip_prefix("postgresql://127.0.0.1:").unwrap().split('?').next().unwrap()
    }

    fn psql(&self, options: &str) -> Command {
        let mut command = foreign::command("psql");
        let port = self.postgresql_port();
        let ca = self.path("cert.pem");
        command.args(["-X", "-At", "-v", "ON_ERROR_STOP=1", "-d"]);
        command.arg(format!(
            "host=localhost hostaddr=127.0.0.1 port={port} user=a dbname=account-1 sslrootcert={ca} {options}"
        ));
        command.env("PGCONNECT_TIMEOUT", "20");
        command
    }
}

const COUNT: &str = "select count(*) as n from segments";

/// What `sql` says to a question for the number of segments.
fn count(arguments: &[&str]) -> Output {
    run(["sql", "--format", "ndjson", "-c", COUNT].iter().chain(arguments))
}

#[track_caller]
fn assert_counts(output: &Output) {
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), r#"{"n":200}"#, "{}", stderr(output));
}

#[test]
fn a_pair_to_try_with_is_its_owners_and_is_not_overwritten() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("tls");
    let arguments = ["tls", "self-signed", "--host", "localhost", "--host", "127.0.0.1,::1", "--out"];
    let printed = succeed(arguments.iter().copied().chain([out.to_str().unwrap()]));
    assert!(printed.contains("--tls-cert") && printed.contains("--ca-cert"), "{printed}");
    let mode = |name: &str| fs::metadata(out.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("key.pem"), 0o600);
    let before = fs::read(out.join("key.pem")).unwrap();
    let output = run(arguments.iter().copied().chain([out.to_str().unwrap()]));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("is there already"), "{}", stderr(&output));
    assert_eq!(fs::read(out.join("key.pem")).unwrap(), before);
    for bad in ["", "localhost:8080", "https://localhost", "a b", "ü"] {
        let output = run(["tls", "self-signed", "--host", bad, "--out", folder.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{bad}");
    }
    assert!(!folder.path().join("key.pem").exists());
    assert_eq!(run(["tls", "self-signed"]).status.code(), Some(2));
}

#[test]
fn what_is_wrong_with_the_files_is_told_at_the_start() {
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name);
    for name in ["a", "b"] {
        self_signed(&place(name), "localhost");
    }
    let begin = |arguments: &[(&str, PathBuf)]| {
        let mut command = crate::binary::skillscope(["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(place("data"));
        for (option, file) in arguments {
            command.arg(option).arg(file);
        }
        let output = command.output().unwrap();
        (output.status.code(), stderr(&output))
    };
    let (cert, key) = (place("a/cert.pem"), place("a/key.pem"));
    let (code, text) = begin(&[("--tls-cert", cert.clone())]);
    assert!(code == Some(2) && text.contains("--tls-key"), "{text}");
    let (code, text) = begin(&[("--tls-key", key.clone())]);
    assert!(code == Some(2) && text.contains("--tls-cert"), "{text}");
    let (code, text) = begin(&[("--tls-cert", cert.clone()), ("--tls-key", place("b/key.pem"))]);
    assert!(code == Some(1) && text.contains("does not belong to"), "{text}");
    let (code, text) = begin(&[("--tls-cert", place("nowhere.pem")), ("--tls-key", key)]);
    assert!(code == Some(1) && text.contains("nowhere.pem"), "{text}");
    let (code, text) = begin(&[("--tls-cert", cert.clone()), ("--tls-key", cert)]);
    assert!(code == Some(1) && text.contains("there is no private key in"), "{text}");
    assert!(!place("data").exists(), "nothing is made before");
}

#[test]
fn commands_speak_https_with_a_certificate_that_they_are_told_to_trust() {
    let encrypted = Encrypted::serve("localhost,127.0.0.1");
    assert!(encrypted.server.url.starts_with("https://127.0.0.1:"));
    assert!(encrypted.postgresql.ends_with("?sslmode=require"), "{}", encrypted.postgresql);
    assert!(encrypted.flight.starts_with("grpc+tls://127.0.0.1:"), "{}", encrypted.flight);
    let ca = encrypted.path("cert.pem");
    let (url, named) = (encrypted.server.url.clone(), format!("https://localhost:{}", encrypted.port()));
    let trusting = ["--url", &url, "--ca-cert", &ca];
    assert_counts(&count(&trusting));
    assert_counts(&count(&["--url", &named, "--ca-cert", &ca]));
    let import = ["import", "segments", sample::path().to_str().unwrap()].map(str::to_owned);
    let printed = succeed(import.iter().map(String::as_str).chain(trusting));
    assert_eq!(printed.trim(), "accepted 0, duplicates 200, rejected 0");
    let copy = encrypted.path("copy");
    succeed(["backup", "--to", &copy].into_iter().chain(trusting));
    assert!(succeed(["check", "--data-dir", &copy]).contains("nothing is wrong"));
    let printed = succeed(["replay", "--archive", &copy, "--into", &url, "--ca-cert", &ca, "--speed", "1000000"]);
    assert!(printed.contains("200 segments"), "{printed}");

    let untrusted = count(&["--url", &url]);
    assert_eq!(untrusted.status.code(), Some(1));
    assert!(stderr(&untrusted).contains("--ca-cert FILE"), "{}", stderr(&untrusted));
    let plain = count(&["--url", &url.replace("https", "http")]);
    assert!(stderr(&plain).contains("this port speaks HTTPS"), "{}", stderr(&plain));
    let other = Encrypted::serve("reports.example");
    let misnamed = count(&["--url", &other.server.url, "--ca-cert", &other.path("cert.pem")]);
    assert!(stderr(&misnamed).contains("other names than the URL"), "{}", stderr(&misnamed));
    let unknown = count(&["--url", &url, "--ca-cert", &other.path("cert.pem")]);
    assert!(stderr(&unknown).contains("--ca-cert FILE"), "{}", stderr(&unknown));
    for bad in ["nowhere.pem", "key.pem"] {
        let output = count(&["--url", &url, "--ca-cert", &encrypted.path(bad)]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    }
}

#[test]
fn a_server_without_tls_is_told_from_one_with_it() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &[]);
    self_signed(directory.path(), "localhost");
    let ca = directory.path().join("cert.pem");
    let url = server.url.replace("http", "https");
    let output = count(&["--url", &url, "--ca-cert", ca.to_str().unwrap()]);
    assert!(stderr(&output).contains("begin with http://"), "{}", stderr(&output));
}

#[test]
fn a_certificate_by_openssl_that_says_it_is_an_issuer_is_trusted_where_it_is_named() {
    let test = "a_certificate_by_openssl_that_says_it_is_an_issuer_is_trusted_where_it_is_named";
    if foreign::command("openssl").arg("version").output().is_err() {
        return skipped(test, "there is no openssl");
    }
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cert, key) = (place("cert.pem"), place("key.pem"));
    let mut openssl = foreign::command("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost", "-keyout", &key, "-out", &cert]);
    let made = openssl.output().unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    sample::import_into(&folder.path().join("data"));
    let server = Server::start(&["--tls-cert", &cert, "--tls-key", &key, "--data-dir", &place("data")]);
    assert_counts(&count(&["--url", &server.url.replace("127.0.0.1", "localhost"), "--ca-cert", &cert]));
    let misnamed = count(&["--url", &server.url, "--ca-cert", &cert]);
    assert!(stderr(&misnamed).contains("other names than the URL"), "{}", stderr(&misnamed));
}

/// A connection that trusts the certificates in a file alone.
fn connect(server: &Server, ca: &Path) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
    let mut connection = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.complete_io(&mut stream)?;
    Ok(StreamOwned::new(connection, stream))
}

/// Whether a connection answers.
fn answers(connection: &mut StreamOwned<ClientConnection, TcpStream>) -> bool {
    let asked =
        connection.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").and_then(|()| connection.flush());
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while asked.is_ok() && !answer.ends_with(br#"{"status":"ok"}"#) {
        match connection.read(&mut piece) {
            Ok(read) if read > 0 => answer.extend_from_slice(&piece[..read]),
            _ => return false,
        }
    }
    answer.starts_with(b"HTTP/1.1 200")
}

#[test]
fn a_certificate_changes_while_connections_are_open() {
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name);
    let text = |name: &str| place(name).to_str().unwrap().to_owned();
    for name in ["1", "2", "3"] {
        self_signed(&place(name), "localhost");
    }
    let link = |to: &str| {
        symlink(to, place("made")).unwrap();
        fs::rename(place("made"), place("live")).unwrap();
    };
    link("1");
    let data = place("data");
    let server = Server::over(&data, &["--tls-cert", &text("live/cert.pem"), "--tls-key", &text("live/key.pem")]);
    let trusts = |name: &str| connect(&server, &place(name).join("cert.pem"));
    let mut old = trusts("1").unwrap();
    assert!(answers(&mut old));
    assert!(trusts("2").is_err());

    // It is seen that a link leads somewhere else.
    link("2");
    until("the second certificate is shown", || trusts("2").is_ok());
    assert!(trusts("1").is_err());
    assert!(answers(&mut old), "connections go on");

    // A key that does not fit is not taken, also when the server is told to.
    fs::copy(place("3/key.pem"), place("2/key.pem")).unwrap();
    server.signal("HUP");
    assert!(trusts("2").is_ok());
    fs::copy(place("3/cert.pem"), place("2/cert.pem")).unwrap();
    server.signal("HUP");
    until("the third certificate is shown", || trusts("3").is_ok());
    assert!(answers(&mut old));
    // Whoever reads the directory's own word of the server knows the certificate of now.
    until("the owner is let in", || count(&["--data-dir", &text("data")]).status.success());
}

#[test]
fn sighup_ends_no_server() {
    let directory = TempDir::new().unwrap();
    let server = Server::over(directory.path(), &[]);
    server.signal("HUP");
    server.signal("HUP");
    assert_eq!(server.get("/healthz").0, 200);
}

#[test]
fn the_owner_of_a_directory_needs_neither_name_nor_issuer() {
    let encrypted = Encrypted::serve("reports.example");
    let data = encrypted.path("data");
    assert_counts(&count(&["--data-dir", &data]));
    succeed(["backup", "--data-dir", &data, "--to", &encrypted.path("copy")]);
    // Another server that had taken its port would not be asked.
    let path = encrypted.folder.path().join("data/server");
    let told = fs::read_to_string(&path).unwrap();
    let (url, fingerprint) = told.split_once("#sha256=").unwrap();
    fs::write(&path, format!("{url}#sha256={}", "0".repeat(fingerprint.trim().len()))).unwrap();
    let output = count(&["--data-dir", &data]);
    assert!(stderr(&output).contains("another certificate"), "{}", stderr(&output));
}

#[test]
fn curl_speaks_both_versions_and_none_before() {
    if !foreign::is_here("curl_speaks_both_versions_and_none_before", "curl", "curl") {
        return;
    }
    let encrypted = Encrypted::serve("localhost");
    let ca = encrypted.path("cert.pem");
    let ask = |scheme: &str, more: &[&str]| {
        let url = format!("{scheme}://localhost:{}/healthz", encrypted.port());
        let mut command = foreign::command("curl");
        command.args(["--silent", "--show-error", "--cacert", &ca, "--write-out", " %{http_code}"]).args(more).arg(url);
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let healthy = (true, r#"{"status":"ok"} 200"#.to_owned());
    assert_eq!(ask("https", &["--tls-max", "1.2"]), healthy);
    assert_eq!(ask("https", &["--tlsv1.3"]), healthy);
    assert_eq!(ask("https", &["--http1.1"]), healthy);
    let (is_spoken, _) = ask("https", &["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"]);
    assert!(!is_spoken, "TLS 1.1 is not spoken");
    let (_, told) = ask("http", &[]);
    assert!(told.contains("https://") && told.ends_with(" 400"), "{told}");
}

#[test]
fn python_reads_a_report() {
    let Some(mut python) = python::bare() else { return skipped("python_reads_a_report", "there is no python3") };
    let encrypted = Encrypted::serve("localhost");
    let script = r#"
import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[2])
with urllib.request.urlopen(sys.argv[1], context=context) as answer:
    print(answer.read().decode())
"#;
    let path = "/operations/api/account/account-1/msgskillsegments?timeframe=1440&v=1";
    let url = format!("https://localhost:{}{path}", encrypted.port());
    let output = python.args(["-c", script, &url, &encrypted.path("cert.pem")]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    assert!(report["metricsTotal"]["totalSkillConversationSegments"].as_i64().unwrap() > 0, "{report}");
}

#[test]
fn psql_asks_for_tls_and_is_told_if_it_does_not() {
    if !foreign::is_here("psql_asks_for_tls_and_is_told_if_it_does_not", "psql", "postgresql-client") {
        return;
    }
    let encrypted = Encrypted::serve("localhost");
    let asked = |options: &str| encrypted.psql(options).args(["-c", COUNT]).output().unwrap();
    for options in [
        "sslmode=require",
        "sslmode=verify-full",
        "sslmode=prefer",
        "ssl_max_protocol_version=TLSv1.2 sslmode=verify-full",
    ] {
        let output = asked(options);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "200", "{options}: {}", stderr(&output));
    }
    let output = asked("sslmode=disable");
    assert!(stderr(&output).contains("sslmode=require"), "{}", stderr(&output));
    let version = foreign::command("psql").arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout).split_whitespace().last().unwrap_or_default().to_owned();
    let major: u32 = String::from_utf8_lossy(&foreign::command("psql").arg("--version").output().unwrap().stdout)
        .split(|letter: char| !letter.is_ascii_digit())
        .find_map(|digits| digits.parse().ok())
        .unwrap_or_default();
    if major < 17 {
        return skipped("TLS at once with psql", &format!("psql {version} does not know it"));
    }
    let output = asked("sslmode=require sslnegotiation=direct");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "200", "{}", stderr(&output));
}

#[test]
fn psql_cancels_over_tls_and_one_that_is_killed_ends_its_statement() {
    let test = "psql_cancels_over_tls_and_one_that_is_killed_ends_its_statement";
    if !foreign::is_here(test, "psql", "postgresql-client") {
        return;
    }
    let encrypted = Encrypted::serve("localhost");
    let (url, ca) = (encrypted.server.url.replace("127.0.0.1", "localhost"), encrypted.path("cert.pem"));
    let running = || {
        let statement = "select count(*) as n from system.queries where door = 'postgresql'";
        let printed = succeed(["sql", "--url", &url, "--ca-cert", &ca, "--format", "ndjson", "-c", statement]);
        serde_json::from_str::<Value>(printed.trim()).unwrap()["n"].as_i64().unwrap()
    };
    let endless = "select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value <> b.value + 1";
    for signal in ["INT", "KILL"] {
        let mut command = encrypted.psql("sslmode=require");
        let mut psql = command.args(["-c", endless]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        until("the statement runs", || running() == 1);
        send_signal(psql.id(), signal);
        let mut message = String::new();
        psql.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        psql.wait().unwrap();
        if signal == "INT" {
            assert!(message.contains("ended on request"), "{message}");
        }
        until("the statement has ended", || running() == 0);
    }
}

/// A token for everything, of a directory that may be open.
fn token(data: &str) -> String {
    let of_all = ["--name", "wall", "--account", "*", "--scopes", "report,ingest,sql,admin"];
    succeed(["token", "add", "--data-dir", data].into_iter().chain(of_all)).trim().to_owned()
}

#[test]
fn an_address_that_others_can_reach_is_listened_on_with_tokens_and_tls() {
    let folder = TempDir::new().unwrap();
    self_signed(folder.path(), "localhost");
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, cert, key, file) = (place("data"), place("cert.pem"), place("key.pem"), place("token"));
    sample::import_into(Path::new(&data));
    let listen = ["serve", "--listen", "0.0.0.0:0", "--data-dir", &data, "--log", "warn"];
    let encrypted = ["--tls-cert", &cert, "--tls-key", &key];
    let refused = |more: &[&str]| {
        let output = run(listen.iter().chain(more));
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        stderr(&output)
    };
    let told = refused(&[]);
    assert!(told.contains("skillscope token add") && told.contains("--tls-cert"), "{told}");
    let told = refused(&encrypted);
    assert!(told.contains("skillscope token add") && !told.contains("--tls-cert"), "{told}");
    fs::write(&file, token(&data)).unwrap();
    let told = refused(&[]);
    assert!(!told.contains("skillscope token add") && told.contains("--tls-cert"), "{told}");

    let mut command = crate::binary::skillscope(listen.iter().chain(&encrypted));
    let mut process = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut url = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let port = url.trim().strip_prefix("https://0.0.0.0:").unwrap_or_else(|| panic!("{url}"));
    let url = format!("https://localhost:{port}");
    assert_counts(&count(&["--url", &url, "--ca-cert", &cert, "--token-file", &file]));
    let told = stderr(&count(&["--url", &url, "--ca-cert", &cert]));
    assert!(told.contains("wants a token"), "{told}");
    assert_counts(&count(&["--data-dir", &data]));
}

#[test]
fn tokens_are_shown_over_tls_at_every_door() {
    let Some(python) = Python::with_libraries("tokens_are_shown_over_tls_at_every_door") else { return };
    let encrypted = Encrypted::serve("localhost,127.0.0.1");
    let token = token(&encrypted.path("data"));
    let script = r#"
import json, ssl, sys, urllib.request, warnings; warnings.simplefilter("ignore")
import adbc_driver_flightsql.dbapi as flight, psycopg
url, flight_url, port, ca, token = sys.argv[1:]
def rows(connection):
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from segments")
        return cursor.fetchone()[0]
def refused(ask):
    try:
        ask()
    except Exception:
        return True
def http(headers):
    request = urllib.request.Request(f"{url}/v1/sql", json.dumps({"query": "select count(*) as n from segments"}).encode(),
                                     {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ca)) as answer:
        return json.load(answer)[0]["n"]
def postgresql(password):
    return rows(psycopg.connect(f"host=127.0.0.1 port={port} user=wall dbname=account-1 sslmode=verify-full sslrootcert={ca}", password=password))
def flight_sql(more):
    trusted = {"adbc.flight.sql.client_option.tls_root_certs": open(ca).read()}
    return rows(flight.connect(flight_url, db_kwargs={**trusted, **more}))
print(http({"authorization": f"Bearer {token}"}), refused(lambda: http({})))
print(postgresql(token), refused(lambda: postgresql("x")))
print(flight_sql({"adbc.flight.sql.authorization_header": f"Bearer {token}"}), refused(lambda: flight_sql({})))
print(flight_sql({"username": "wall", "password": token}))
"#;
    let ca = encrypted.path("cert.pem");
    let arguments = [encrypted.server.url.as_str(), &encrypted.flight, encrypted.postgresql_port(), &ca, &token];
    assert_eq!(python.run(script, &arguments), "200 True\n200 True\n200 True\n200\n");
}

#[test]
fn adbc_and_psycopg_read_over_tls() {
    let Some(python) = Python::with_libraries("adbc_and_psycopg_read_over_tls") else { return };
    let encrypted = Encrypted::serve("localhost,127.0.0.1");
    let script = r#"
import sys, warnings; warnings.simplefilter("ignore")
import adbc_driver_flightsql.dbapi as flight, adbc_driver_postgresql.dbapi as postgresql, psycopg
flight_url, port, ca = sys.argv[1:]
def rows(connection):
    with connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from segments")
        return cursor.fetchone()[0]
trusted = {"adbc.flight.sql.client_option.tls_root_certs": open(ca).read(), "adbc.flight.sql.rpc.call_header.account": "account-1"}
print(rows(flight.connect(flight_url, db_kwargs=trusted)))
url = f"host=127.0.0.1 port={port} user=a dbname=account-1 sslmode=verify-full sslrootcert={ca}"
print(rows(psycopg.connect(url)))
print(rows(postgresql.connect(f"postgresql://a@127.0.0.1:{port}/account-1?sslmode=verify-full&sslrootcert={ca}")))
try:
    rows(flight.connect(flight_url.replace("grpc+tls", "grpc")))
except flight.Error:
    print("refused")
"#;
    let arguments = [encrypted.flight.as_str(), encrypted.postgresql_port(), &encrypted.path("cert.pem")];
    assert_eq!(python.run(script, &arguments), "200\n200\n200\nrefused\n");
}
