//! The formats of segments, and the compression of files.

use std::path::Path;

/// A format of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// An Arrow IPC stream; an Arrow IPC file too, read from its beginning.
    Arrow,
    /// A Parquet file.
    Parquet,
}

impl Format {
    /// The name of the format in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "NDJSON",
            Self::Json => "JSON array",
            Self::Arrow => "Arrow stream",
            Self::Parquet => "Parquet",
        }
    }

    /// The format and compression that the name of a file shows: `.ndjson` or `.jsonl`, `.json`, `.arrow` or `.arrows`,
    /// `.parquet`, each with or without `.gz` or `.zst` after it.
    pub fn from_path(path: &Path) -> (Option<Self>, Compression) {
        let compression = Compression::from_path(path);
        let stem = match compression {
            Compression::None => path,
            Compression::Gzip | Compression::Zstd => Path::new(path.file_stem().unwrap_or_default()),
        };
        let format = match extension(stem).as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "json" => Some(Self::Json),
            "arrow" | "arrows" => Some(Self::Arrow),
            "parquet" => Some(Self::Parquet),
            _ => None,
        };
        (format, compression)
    }
}

/// How an input is compressed as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of one member or several.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Compression {
    fn from_path(path: &Path) -> Self {
        match extension(path).as_str() {
            "gz" => Self::Gzip,
            "zst" => Self::Zstd,
            _ => Self::None,
        }
    }
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_format_and_compression() {
        let cases = [
            ("a.ndjson", Some(Format::Ndjson), Compression::None),
            ("a.jsonl.gz", Some(Format::Ndjson), Compression::Gzip),
            ("dir.parquet/a.json.zst", Some(Format::Json), Compression::Zstd),
            ("A.ARROW", Some(Format::Arrow), Compression::None),
            ("a.parquet", Some(Format::Parquet), Compression::None),
            ("a.csv", None, Compression::None),
            ("a.gz", None, Compression::Gzip),
            ("", None, Compression::None),
        ];
        for (name, format, compression) in cases {
            assert_eq!(Format::from_path(Path::new(name)), (format, compression), "{name}");
        }
    }
}
