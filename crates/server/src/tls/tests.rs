//! Certificates that are read, renewed and refused.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Handshakes, Tls, TlsError, Wire};

/// A certificate that has signed itself.
pub(crate) struct TestCertificate {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl TestCertificate {
    pub(crate) fn new(names: &[&str]) -> Self {
        Self::with_key(names, KeyPair::generate().unwrap(), |_| {})
    }

    pub(crate) fn valid(from: (i32, u8, u8), until: (i32, u8, u8)) -> Self {
        let date = |(year, month, day)| date_time_ymd(year, month, day);
        Self::with_key(&["localhost"], KeyPair::generate().unwrap(), |params| {
            (params.not_before, params.not_after) = (date(from), date(until));
        })
    }

    fn with_key(names: &[&str], key: KeyPair, set: impl FnOnce(&mut CertificateParams)) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        set(&mut params);
        Self { certificate: params.self_signed(&key).unwrap(), key }
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }

    /// Writes both files into a folder.
    pub(crate) fn write(&self, folder: &Path) {
        fs::write(folder.join("cert.pem"), self.certificate.pem()).unwrap();
        fs::write(folder.join("key.pem"), self.key.serialize_pem()).unwrap();
    }

    /// What the files in a folder are to a server.
    pub(crate) fn open(folder: &Path) -> Result<Tls, TlsError> {
        Tls::open(folder.join("cert.pem"), folder.join("key.pem"))
    }

    /// The certificate in a folder of its own, which is removed: nothing renews it.
    pub(crate) fn tls(&self) -> Tls {
        let folder = TempDir::new().unwrap();
        self.write(folder.path());
        Self::open(folder.path()).unwrap()
    }

    /// A client that trusts this certificate alone, speaks these versions, and names its protocols so.
    pub(crate) fn connector(&self, versions: &[&'static SupportedProtocolVersion], protocols: &[&str]) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.der())).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(versions).unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_owned()).collect();
        TlsConnector::from(Arc::new(config))
    }

    /// Connects to `localhost` over a stream.
    pub(crate) async fn connect<S>(&self, stream: S, protocols: &[&str]) -> std::io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connector = self.connector(rustls::ALL_VERSIONS, protocols);
        connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}

const LONG: Duration = Duration::from_secs(3600);

fn peer() -> SocketAddr {
    "127.0.0.1:1".parse().unwrap()
}

fn handshakes(tls: &Tls) -> Handshakes {
    Handshakes::new(tls, "http/1.1", LONG).unwrap()
}

/// What becomes of a client and a server over a pipe.
async fn shake(
    handshakes: &Handshakes,
    client: impl AsyncFnOnce(DuplexStream) -> std::io::Result<TlsStream<DuplexStream>>,
) -> (std::io::Result<TlsStream<DuplexStream>>, Option<Wire<DuplexStream>>) {
    let (near, far) = duplex(64 << 10);
    tokio::join!(client(near), handshakes.complete(far, &[], peer()))
}

#[tokio::test]
async fn every_kind_of_key_that_the_error_names_is_taken() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = TestCertificate::with_key(&["localhost"], key, |_| {});
        let handshakes = handshakes(&certificate.tls());
        let (client, server) =
            shake(&handshakes, async |stream| certificate.connect(stream, &["http/1.1"]).await).await;
        assert_eq!(server.unwrap().protocol(), Some(&b"http/1.1"[..]));
        drop(client.unwrap());
    }
}

#[tokio::test]
async fn both_versions_are_spoken_and_what_is_said_arrives() {
    let certificate = TestCertificate::new(&["localhost"]);
    let handshakes = handshakes(&certificate.tls());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let connector = certificate.connector(&[version], &[]);
        let name = ServerName::try_from("localhost").unwrap();
        let (client, server) = shake(&handshakes, async |stream| connector.connect(name, stream).await).await;
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        assert_eq!(client.get_ref().1.protocol_version(), Some(version.version));
        assert!(server.is_encrypted());
        let mut heard = [0; 5];
        client.write_all(b"hello").await.unwrap();
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
        server.write_all(b"world").await.unwrap();
        server.shutdown().await.unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"world");
    }
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let certificate = TestCertificate::new(&["localhost"]);
    let handshakes = handshakes(&certificate.tls());
    let (client, server) = shake(&handshakes, async |stream| certificate.connect(stream, &["h2"]).await).await;
    assert!(client.unwrap_err().to_string().contains("NoApplicationProtocol"));
    assert!(server.is_none());
}

#[tokio::test]
async fn bytes_that_were_read_before_belong_to_the_handshake() {
    let certificate = TestCertificate::new(&["localhost"]);
    let handshakes = handshakes(&certificate.tls());
    for already in [1, 5, 60, 10_000] {
        let (near, mut far) = duplex(64 << 10);
        let serve = async {
            let mut begun = vec![0; already];
            let read = far.read(&mut begun).await.unwrap();
            handshakes.complete(far, &begun[..read], peer()).await
        };
        let (client, server) = tokio::join!(certificate.connect(near, &[]), serve);
        assert!(client.is_ok() && server.is_some(), "{already}");
    }
    let (near, far) = duplex(64 << 10);
    assert!(handshakes.complete(far, b"\x16 is not how it begins", peer()).await.is_none());
    drop(near);
}

#[test]
fn what_is_wrong_with_the_files_is_told() {
    let folder = TempDir::new().unwrap();
    let (certificate, other) = (TestCertificate::new(&["localhost"]), TestCertificate::new(&["localhost"]));
    let (cert_pem, key_pem) = (certificate.certificate.pem(), certificate.key.serialize_pem());
    let with = |cert: &[u8], key: &[u8]| {
        fs::write(folder.path().join("cert.pem"), cert).unwrap();
        fs::write(folder.path().join("key.pem"), key).unwrap();
        TestCertificate::open(folder.path()).unwrap_err().to_string()
    };
    let missing = TestCertificate::open(folder.path()).unwrap_err().to_string();
    assert!(missing.contains("cannot read") && missing.contains("cert.pem"), "{missing}");
    for (cert, key, told) in [
        (&b""[..], key_pem.as_bytes(), "cert.pem is not PEM"),
        (&certificate.der(), key_pem.as_bytes(), "cert.pem is not PEM"),
        (key_pem.as_bytes(), key_pem.as_bytes(), "there is no certificate in"),
        (cert_pem.as_bytes(), b"hello", "key.pem is not PEM"),
        (cert_pem.as_bytes(), cert_pem.as_bytes(), "it has CERTIFICATE instead of PRIVATE KEY"),
        (cert_pem.as_bytes(), other.key.serialize_pem().as_bytes(), "does not belong to the first certificate"),
        (cert_pem.as_bytes(), b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n", "is encrypted"),
        (cert_pem.as_bytes(), b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nAA==\n-----END RSA PRIVATE KEY-----\n", "is encrypted"),
        (cert_pem.as_bytes(), b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", "cannot be used"),
        (b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", key_pem.as_bytes(), "the first certificate in"),
        (&cert_pem.as_bytes()[..200], key_pem.as_bytes(), "cert.pem is damaged"),
        (&vec![b'x'; 2 << 20], key_pem.as_bytes(), "longer than 1048576 bytes"),
    ] {
        let text = with(cert, key);
        assert!(text.contains(told), "{told}: {text}");
    }
    // Both may stand in one file, in any order.
    let both = key_pem.clone() + &cert_pem;
    fs::write(folder.path().join("cert.pem"), &both).unwrap();
    fs::write(folder.path().join("key.pem"), &both).unwrap();
    assert!(TestCertificate::open(folder.path()).is_ok());
}

/// The certificate that a client is shown which trusts any of these.
async fn shown(tls: &Tls, certificates: [&TestCertificate; 2]) -> usize {
    let handshakes = handshakes(tls);
    for (number, certificate) in certificates.into_iter().enumerate() {
        let (client, _) = shake(&handshakes, async |stream| certificate.connect(stream, &[]).await).await;
        if client.is_ok() {
            return number;
        }
    }
    panic!("another certificate is shown")
}

#[tokio::test]
async fn files_that_are_replaced_one_after_the_other_are_taken_once_they_fit() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (TestCertificate::new(&["localhost"]), TestCertificate::new(&["localhost"]));
    old.write(folder.path());
    let tls = TestCertificate::open(folder.path()).unwrap();
    let replace = |name: &str, text: String| {
        let made = folder.path().join("new");
        fs::write(&made, text).unwrap();
        fs::rename(made, folder.path().join(name)).unwrap();
    };
    replace("key.pem", new.key.serialize_pem());
    tls.look();
    assert_eq!(shown(&tls, [&old, &new]).await, 0);
    assert!(matches!(tls.reload(), Err(TlsError::Mismatch { .. })));
    replace("cert.pem", new.certificate.pem());
    tls.look();
    assert_eq!(shown(&tls, [&old, &new]).await, 1);
    fs::remove_file(folder.path().join("cert.pem")).unwrap();
    tls.look();
    assert_eq!(shown(&tls, [&old, &new]).await, 1);
}

#[tokio::test]
async fn a_link_that_leads_to_another_folder_is_followed_and_connections_go_on() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (TestCertificate::new(&["localhost"]), TestCertificate::new(&["localhost"]));
    for (certificate, name) in [(&old, "1"), (&new, "2")] {
        fs::create_dir(folder.path().join(name)).unwrap();
        certificate.write(&folder.path().join(name));
    }
    let link = |to: &str| {
        let (made, live) = (folder.path().join("made"), folder.path().join("live"));
        std::os::unix::fs::symlink(to, &made).unwrap();
        fs::rename(made, live).unwrap();
    };
    link("1");
    let tls = TestCertificate::open(&folder.path().join("live")).unwrap();
    let handshakes = handshakes(&tls);
    let (client, server) = shake(&handshakes, async |stream| old.connect(stream, &[]).await).await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    link("2");
    tls.look();
    assert_eq!(shown(&tls, [&old, &new]).await, 1);
    client.write_all(b"?").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'?');
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_ends() {
    let certificate = TestCertificate::new(&["localhost"]);
    let handshakes = Handshakes::new(&certificate.tls(), "http/1.1", Duration::from_millis(10)).unwrap();
    let (_near, far) = duplex(64);
    assert!(handshakes.complete(far, &[super::RECORD, 3], peer()).await.is_none());
}
