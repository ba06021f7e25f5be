//! The options of `COPY … TO STDOUT`.

use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use super::super::error::{SqlState, error};

/// The format in which `COPY` writes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::postgresql) enum CopyFormat {
    #[default]
    Text,
    Csv,
    Binary,
}

/// The columns whose values stand in quotes whatever they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::postgresql) enum Quoted {
    #[default]
    None,
    All,
    Columns(Vec<String>),
}

/// How `COPY` writes rows, as far as its statement says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::postgresql) struct Said {
    pub(in crate::postgresql) format: Option<CopyFormat>,
    pub(in crate::postgresql) has_header: Option<bool>,
    pub(in crate::postgresql) delimiter: Option<String>,
    pub(in crate::postgresql) null: Option<String>,
    pub(in crate::postgresql) quote: Option<String>,
    pub(in crate::postgresql) escape: Option<String>,
    pub(in crate::postgresql) force_quote: Option<Quoted>,
    pub(in crate::postgresql) encoding: Option<String>,
}

/// How `COPY` writes rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgresql) struct CopyOptions {
    pub(super) format: CopyFormat,
    pub(super) has_header: bool,
    pub(super) delimiter: u8,
    pub(super) null: String,
    pub(super) quote: u8,
    pub(super) escape: u8,
    pub(super) quoted: Quoted,
}

impl Said {
    /// The options, if they go together.
    pub(in crate::postgresql) fn checked(self) -> PgWireResult<CopyOptions> {
        let format = self.format.unwrap_or_default();
        let is_csv = format == CopyFormat::Csv;
        if format == CopyFormat::Binary {
            self.check_binary()?;
        }
        let only_csv = |name: &str, is_said: bool| match is_said && !is_csv {
            true => Err(unsupported(&format!("COPY {name} available only in CSV mode"))),
            false => Ok(()),
        };
        only_csv("quote", self.quote.is_some())?;
        only_csv("escape", self.escape.is_some())?;
        only_csv("force quote", self.force_quote.is_some())?;
        if self.encoding.is_some_and(|encoding| !is_utf8(&encoding)) {
            return Err(unsupported("COPY writes UTF8 and no other encoding"));
        }
        let quote = letter("quote", self.quote.as_deref(), b'"')?;
        let options = CopyOptions {
            format,
            has_header: self.has_header.unwrap_or_default(),
            delimiter: letter("delimiter", self.delimiter.as_deref(), if is_csv { b',' } else { b'\t' })?,
            null: self.null.unwrap_or_else(|| if is_csv { "" } else { "\\N" }.to_owned()),
            quote,
            escape: letter("escape", self.escape.as_deref(), quote)?,
            quoted: self.force_quote.unwrap_or_default(),
        };
        options.check(is_csv)?;
        Ok(options)
    }

    fn check_binary(&self) -> PgWireResult<()> {
        let said = [
            ("DELIMITER", self.delimiter.is_some()),
            ("NULL", self.null.is_some()),
            ("HEADER", self.has_header == Some(true)),
        ];
        match said.into_iter().find(|(_, is_said)| *is_said) {
            Some((name, _)) => Err(error(SqlState::SyntaxError, format!("cannot specify {name} in BINARY mode"))),
            None => Ok(()),
        }
    }
}

impl CopyOptions {
    fn check(&self, is_csv: bool) -> PgWireResult<()> {
        let value = |text: &str| Err(error(SqlState::SettingValue, text));
        let delimiter = char::from(self.delimiter);
        if "\r\n".contains(delimiter) {
            return value("COPY delimiter cannot be newline or carriage return");
        }
        if self.null.contains(['\r', '\n']) {
            return value("COPY null representation cannot use newline or carriage return");
        }
        // What would be read as an escape, or as the end.
        if !is_csv && "\\.abcdefghijklmnopqrstuvwxyz0123456789".contains(delimiter) {
            return value(&format!("COPY delimiter cannot be \"{delimiter}\""));
        }
        if is_csv && self.delimiter == self.quote {
            return value("COPY delimiter and quote must be different");
        }
        if self.null.contains(delimiter) {
            return Err(unsupported("COPY delimiter must not appear in the NULL specification"));
        }
        if is_csv && self.null.contains(char::from(self.quote)) {
            return Err(unsupported("CSV quote character must not appear in the NULL specification"));
        }
        Ok(())
    }

    /// Which of these columns stand in quotes.
    pub(super) fn quoted<'a>(&self, names: impl Iterator<Item = &'a str>) -> PgWireResult<Vec<bool>> {
        let names: Vec<&str> = names.collect();
        match &self.quoted {
            Quoted::None => Ok(vec![false; names.len()]),
            Quoted::All => Ok(vec![true; names.len()]),
            Quoted::Columns(columns) => match columns.iter().find(|column| !names.contains(&column.as_str())) {
                Some(column) => {
                    Err(error(SqlState::UndefinedColumn, format!("column \"{column}\" of FORCE_QUOTE does not exist")))
                }
                None => Ok(names.iter().map(|name| columns.iter().any(|column| column == name)).collect()),
            },
        }
    }
}

fn letter(name: &str, said: Option<&str>, otherwise: u8) -> PgWireResult<u8> {
    match said.map(str::as_bytes) {
        None => Ok(otherwise),
        Some([letter]) if letter.is_ascii() => Ok(*letter),
        Some(_) => Err(unsupported(&format!("COPY {name} must be a single one-byte character"))),
    }
}

fn is_utf8(name: &str) -> bool {
    ["utf8", "utf-8", "unicode"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn unsupported(text: &str) -> PgWireError {
    error(SqlState::FeatureNotSupported, text)
}
