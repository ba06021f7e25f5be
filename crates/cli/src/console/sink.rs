//! Where the rows of an answer go: a table, or CSV, JSON or Parquet for programs, on standard output or in a file.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use skillscope_server::{RowFormat, RowWriter};
use tempfile::NamedTempFile;
use unicode_width::UnicodeWidthStr;

use super::settings::Settings;
use crate::arguments::OutputFormat;
use crate::escaped::Escaped;
use crate::grid::{Grid, GridStyle};

/// The writer of an answer, in one format.
pub(super) enum Sink {
    /// A table for people, which shows a limited number of rows.
    Table { table: Table, out: Out },
    /// CSV, JSON or Parquet for programs.
    Rows { writer: Box<RowWriter>, out: Out },
}

/// The rows of a table. They are shown once all have come, since a column is as wide as its widest value.
pub(super) struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    /// The most rows that are shown.
    max_rows: usize,
    /// `None` for a line for each value.
    style: Option<GridStyle>,
    /// The number of rows of the answer.
    rows: usize,
}

/// A file, which appears when it is complete, or standard output.
pub(super) enum Target {
    File { file: NamedTempFile, path: PathBuf },
    Standard(io::Stdout),
}

pub(super) type Out = BufWriter<Target>;

impl Target {
    fn open(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::Standard(io::stdout())) };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self::File { file, path: path.to_owned() })
    }

    fn keep(self) -> Result<()> {
        if let Self::File { file, path } = self {
            // A temporary file can be read by its owner only. This one gets the permissions of ordinary files.
            let permissions = permissions_at(&path);
            let file = file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
            permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions))?;
        }
        Ok(())
    }
}

/// The permissions of the file at `path`. If there is none, one is made to learn those of a new file.
fn permissions_at(path: &Path) -> Option<std::fs::Permissions> {
    let there = std::fs::metadata(path).map(|metadata| metadata.permissions()).ok();
    there.or_else(|| File::create(path).and_then(|file| file.metadata()).map(|metadata| metadata.permissions()).ok())
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File { file, .. } => file.write(bytes),
            Self::Standard(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File { file, .. } => file.flush(),
            Self::Standard(out) => out.flush(),
        }
    }
}

impl Sink {
    pub(super) fn open(settings: &Settings, schema: &SchemaRef) -> Result<Self> {
        let target = Target::open(settings.file.as_deref())?;
        let rows = |format, target| -> Result<Self> {
            Ok(Self::Rows { writer: Box::new(RowWriter::new(format, schema)?), out: BufWriter::new(target) })
        };
        match settings.format_of_output() {
            OutputFormat::Csv => rows(RowFormat::Csv, target),
            OutputFormat::Json => rows(RowFormat::Json, target),
            OutputFormat::Ndjson => rows(RowFormat::Ndjson, target),
            OutputFormat::Parquet if settings.file.is_none() && io::stdout().is_terminal() => {
                bail!("Parquet is not for a terminal: say \\o FILE or --out FILE first")
            }
            OutputFormat::Parquet => rows(RowFormat::Parquet, target),
            OutputFormat::Table => Ok(Self::table(settings, schema, GridStyle::Plain, target)),
            OutputFormat::Box => Ok(Self::table(settings, schema, GridStyle::Box, target)),
            OutputFormat::Markdown => Ok(Self::table(settings, schema, GridStyle::Markdown, target)),
        }
    }

    fn table(settings: &Settings, schema: &SchemaRef, style: GridStyle, target: Target) -> Self {
        let max_rows = settings.max_rows.unwrap_or(usize::MAX);
        let style = (!settings.is_expanded).then_some(style);
        let table = Table { schema: SchemaRef::clone(schema), batches: Vec::new(), max_rows, style, rows: 0 };
        Self::Table { table, out: BufWriter::new(target) }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Self::Table { table, .. } => table.add(batch)?,
            Self::Rows { writer, out } => {
                writer.write(batch)?;
                out.write_all(&writer.take())?;
            }
        }
        Ok(())
    }

    /// Writes the end of the answer, and makes its file appear.
    pub(super) fn finish(self) -> Result<()> {
        let out = match self {
            Self::Table { table, out } => return table.show(out),
            Self::Rows { mut writer, mut out } => {
                writer.finish()?;
                let mut last = writer.take();
                if out.get_ref().is_terminal() && last.last().is_some_and(|byte| *byte != b'\n') {
                    last.push(b'\n');
                }
                out.write_all(&last)?;
                out
            }
        };
        out.into_inner().map_err(|error| error.into_error())?.keep()
    }
}

impl Target {
    fn is_terminal(&self) -> bool {
        matches!(self, Self::Standard(out) if out.is_terminal())
    }
}

impl Table {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let kept: usize = self.max_rows.saturating_sub(self.rows).min(batch.num_rows());
        if kept > 0 {
            let shown = batch.slice(0, kept);
            RowWriter::check(&shown)?;
            self.batches.push(shown);
        }
        self.rows += batch.num_rows();
        Ok(())
    }

    fn show(self, mut out: Out) -> Result<()> {
        let text = self.text()?;
        if out.get_ref().is_terminal() && !fits(&text) && page(&text)? {
            return Ok(());
        }
        out.write_all(text.as_bytes())?;
        out.into_inner().map_err(|error| error.into_error())?.keep()
    }

    fn text(&self) -> Result<String> {
        let mut text = match self.style {
            None => self.expanded()?,
            Some(style) => self.grid(style)?,
        };
        // A document has no use for it.
        if self.style == Some(GridStyle::Markdown) && self.rows <= self.max_rows {
            return Ok(text);
        }
        let rows = self.rows;
        let shown = if rows > self.max_rows {
            format!("(the first {} of {rows} rows; \\maxrows all, or --max-rows all, shows every one)\n", self.max_rows)
        } else {
            format!("({rows} {})\n", if rows == 1 { "row" } else { "rows" })
        };
        text.push_str(&shown);
        Ok(text)
    }

    fn grid(&self, style: GridStyle) -> Result<String> {
        let columns = self.schema.fields().iter().map(|field| (field.name().clone(), field.data_type().is_numeric()));
        let mut grid = Grid::new(style, columns);
        let options = display_options();
        for batch in &self.batches {
            let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                let cells = columns.iter().map(|column| column.value(row).try_to_string());
                grid.add(cells.collect::<Result<Vec<_>, _>>()?.into_iter());
            }
        }
        Ok(grid.text())
    }

    /// A line for each value.
    fn expanded(&self) -> Result<String> {
        let names: Vec<String> = self.schema.fields().iter().map(|field| Escaped(field.name()).to_string()).collect();
        let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
        let mut text = String::new();
        let mut number = 0;
        for batch in &self.batches {
            let options = display_options();
            let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                number += 1;
                text.push_str(&format!("-[ row {number} ]-\n"));
                for (name, column) in names.iter().zip(&columns) {
                    let (value, blanks) = (column.value(row).try_to_string()?, width.saturating_sub(name.width()));
                    // The lines of a value stand below one another.
                    for (line, part) in value.split('\n').enumerate() {
                        let (name, blanks) = if line == 0 { (name.as_str(), blanks) } else { ("", width) };
                        text.push_str(&format!("{name}{} | {}\n", " ".repeat(blanks), Escaped(part)));
                    }
                }
            }
        }
        Ok(text)
    }
}

fn display_options() -> FormatOptions<'static> {
    FormatOptions::default().with_null("NULL")
}

/// Whether a text fits on the terminal.
fn fits(text: &str) -> bool {
    let Some((terminal_size::Width(width), terminal_size::Height(height))) = terminal_size::terminal_size() else {
        return true;
    };
    text.lines().count() < usize::from(height) && text.lines().all(|line| line.width() <= usize::from(width))
}

/// Shows a text in the pager that the variable `PAGER` names, or in `less`. Returns false if there is no pager.
fn page(text: &str) -> Result<bool> {
    let pager = std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
    let mut words = pager.split_whitespace();
    let Some(program) = words.next() else { return Ok(false) };
    // Options of less: long lines are not folded, and a text that fits on the screen stays there.
    let started = Command::new(program).args(words).env("LESS", "-SFRX").stdin(Stdio::piped()).spawn();
    let Ok(mut child) = started else { return Ok(false) };
    let written = feed(&mut child, text);
    child.wait()?;
    match written {
        // The pager was closed before the end.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        written => written.map(|()| true).map_err(Into::into),
    }
}

fn feed(child: &mut Child, text: &str) -> io::Result<()> {
    match child.stdin.take() {
        Some(mut stdin) => stdin.write_all(text.as_bytes()),
        None => Ok(()),
    }
}
