//! The log on standard error. Values of fields may hold text from outside, such as the id of a conversation; it is
//! escaped here, whichever crate logs it.

use std::error::Error;
use std::fmt::{self, Debug, Formatter, Write};
use std::io::IsTerminal;
use std::panic::{self, PanicHookInfo};
use std::thread;

use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::{MakeVisitor, VisitFmt, VisitOutput};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};
use tracing_subscriber::util::SubscriberInitExt;

use crate::escaped::Escaped;

/// Starts the log. `filter` tells the level, also for single modules.
pub(crate) fn init(filter: &str) {
    let has_colours = std::io::stderr().is_terminal();
    subscriber(filter, has_colours, std::io::stderr).init();
    panic::set_hook(Box::new(log_panic));
}

/// Logs a panic in one line, like every other error. By default it would be several, with text from outside as it is.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let reason = panic.payload_as_str().unwrap_or("unknown");
    let thread = thread::current();
    tracing::error!(thread = thread.name().unwrap_or_default(), %place, reason, "a defect: something panicked");
}

fn subscriber<W>(filter: &str, has_colours: bool, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(has_colours)
        .with_writer(writer)
        .fmt_fields(EscapedFields)
        // Reporting a log that cannot be written, because the disk is full, would panic.
        .log_internal_errors(false)
        .finish()
}

/// The default look of fields, colours included, with escaped values.
struct EscapedFields;

impl<'w> MakeVisitor<Writer<'w>> for EscapedFields {
    type Visitor = EscapedVisitor<'w>;

    fn make_visitor(&self, target: Writer<'w>) -> Self::Visitor {
        EscapedVisitor(DefaultVisitor::new(target, true))
    }
}

struct EscapedVisitor<'w>(DefaultVisitor<'w>);

impl Visit for EscapedVisitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.record_debug(field, &Escaped(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        // The message of an event stands without quotes.
        match field.name() {
            "message" => self.record_debug(field, &format_args!("{value}")),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &Causes(value));
    }
}

impl VisitOutput<fmt::Result> for EscapedVisitor<'_> {
    fn finish(self) -> fmt::Result {
        self.0.finish()
    }
}

impl VisitFmt for EscapedVisitor<'_> {
    fn writer(&mut self) -> &mut dyn Write {
        self.0.writer()
    }
}

/// An error and its causes, separated by colons.
struct Causes<'e>(&'e (dyn Error + 'static));

impl Debug for Causes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.0.source().map_or(Ok(()), |cause| write!(f, ": {:?}", Causes(cause)))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::subscriber::with_default;

    use super::{Error, log_panic, subscriber};

    const EVIL: &str = "c-1\n\u{1b}[31m\r\u{202e}";

    /// What is logged in between.
    fn logged(has_colours: bool, log: impl FnOnce()) -> String {
        let out = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&out);
        let writer = move || Sink(Arc::clone(&sink));
        with_default(subscriber("info", has_colours, writer), log);
        let bytes = out.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn text_from_outside_is_escaped_however_it_is_logged() {
        let error = io::Error::other(EVIL);
        let as_error: &(dyn Error + 'static) = &error;
        let logs: [&dyn Fn(); 7] = [
            &|| tracing::info!(conversation = %EVIL, "shown"),
            &|| tracing::info!(conversation = ?EVIL, "shown"),
            &|| tracing::info!(conversation = EVIL, "shown"),
            &|| tracing::info!(error = as_error, "shown"),
            &|| tracing::info!(error = %error, "shown"),
            &|| tracing::info!("shown: {EVIL}"),
            &|| tracing::info_span!("span", conversation = %EVIL).in_scope(|| tracing::info!("shown")),
        ];
        for log in logs {
            let line = logged(false, log);
            assert!(line.contains(r"c-1\n\u{1b}[31m\r\u{202e}"), "{line:?}");
            let line = line.strip_suffix('\n').unwrap();
            assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
    }

    #[test]
    fn a_panic_is_one_line() {
        let line = logged(false, || {
            std::panic::set_hook(Box::new(log_panic));
            let panicked = std::panic::catch_unwind(|| panic!("{EVIL}"));
            drop(std::panic::take_hook());
            assert!(panicked.is_err());
        });
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
        assert!(line.contains(r"c-1\n\u{1b}[31m\r\u{202e}") && line.contains("log.rs:"), "{line:?}");
    }

    #[test]
    fn colours_of_the_log_itself_stay() {
        let line = logged(true, || tracing::info!(conversation = %EVIL, "shown"));
        assert!(line.contains("\u{1b}[3mconversation\u{1b}[0m"), "{line:?}");
        assert!(line.contains(r"c-1\n\u{1b}[31m\r\u{202e}"), "{line:?}");
        assert!(!line.contains("\u{1b}[31m"), "{line:?}");
    }
}
