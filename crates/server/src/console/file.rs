//! A file of the web console.

use std::io::Read;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::hex::digits;

/// The types of files, by what their names end with.
const MEDIA_TYPES: [(&str, &str); 5] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("woff2", "font/woff2"),
];

/// A file of the web console.
pub(crate) struct ConsoleFile {
    name: &'static str,
    gzip: &'static [u8],
    /// Made when somebody asks for it.
    unpacked: OnceLock<Bytes>,
    tag: OnceLock<String>,
}

impl ConsoleFile {
    pub(super) const fn new(name: &'static str, gzip: &'static [u8]) -> Self {
        Self { name, gzip, unpacked: OnceLock::new(), tag: OnceLock::new() }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The file, compressed with gzip.
    pub(crate) fn gzip(&self) -> Bytes {
        Bytes::from_static(self.gzip)
    }

    /// The file as it is without compression. Few clients ask for that; it is made for the first one and kept.
    pub(crate) fn unpacked(&self) -> Bytes {
        let unpack = || {
            let mut unpacked = Vec::new();
            // The bytes are the program's own, and a test has read them.
            let _ = GzDecoder::new(self.gzip).read_to_end(&mut unpacked);
            Bytes::from(unpacked)
        };
        self.unpacked.get_or_init(unpack).clone()
    }

    /// Its type, as HTTP tells it.
    pub(crate) fn media_type(&self) -> &'static str {
        let ending = self.name.rsplit_once('.').map(|(_, ending)| ending);
        let known = MEDIA_TYPES.iter().find(|(known, _)| ending == Some(*known));
        known.map_or("application/octet-stream", |(_, media_type)| *media_type)
    }

    /// What differs if the file does, as an entity tag of HTTP. It is a weak one: the file is the same with and without
    /// compression.
    pub(crate) fn tag(&self) -> &str {
        self.tag.get_or_init(|| {
            let digest: [u8; 32] = Sha256::digest(self.gzip).into();
            format!("W/\"{}\"", digits(digest.split_at(16).0))
        })
    }
}
