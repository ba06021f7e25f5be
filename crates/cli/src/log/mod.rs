//! The log on standard error, as text or as JSON. Values of fields may hold text from outside, such as the id of a
//! conversation; it is escaped here, whichever crate logs it.

mod json;
mod traces;

use std::error::Error;
use std::fmt::{self, Debug, Formatter, Write};
use std::io::IsTerminal;
use std::panic::{self, PanicHookInfo};
use std::thread;

use anyhow::Result;
use clap::ValueEnum;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing_subscriber::field::{MakeVisitor, VisitFmt, VisitOutput};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use self::json::{JsonFields, JsonLines};
use self::traces::Traces;
use crate::escaped::Escaped;

/// How lines of the log look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// An object a line.
    Json,
}

/// Starts the log. `filter` tells the level, also for single modules. Spans are sent to `otlp_endpoint`, if there is
/// one, for as long as the returned value lives.
///
/// # Errors
/// Where nothing can be sent there.
pub(crate) fn init(filter: &str, format: LogFormat, otlp_endpoint: Option<&str>) -> Result<Traces> {
    let has_colours = std::io::stderr().is_terminal();
    let subscriber = subscriber(filter, format, has_colours, std::io::stderr);
    let traces = match otlp_endpoint {
        Some(endpoint) => {
            let (traces, layer) = traces::to(endpoint)?;
            subscriber.with(layer).init();
            traces
        }
        None => {
            subscriber.init();
            Traces::none()
        }
    };
    panic::set_hook(Box::new(log_panic));
    Ok(traces)
}

/// Logs a panic in one line, like every other error. By default it would be several, with text from outside as it is.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let reason = panic.payload_as_str().unwrap_or("unknown");
    let thread = thread::current();
    tracing::error!(thread = thread.name().unwrap_or_default(), %place, reason, "a defect: something panicked");
}

fn subscriber<W>(
    filter: &str,
    format: LogFormat,
    has_colours: bool,
    writer: W,
) -> impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // Reporting a log that cannot be written, because the disk is full, would panic.
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(has_colours).fmt_fields(EscapedFields).boxed(),
        LogFormat::Json => lines.with_ansi(false).fmt_fields(JsonFields).event_format(JsonLines).boxed(),
    };
    tracing_subscriber::registry().with(lines).with(EnvFilter::new(filter))
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

    use serde_json::{Value, json};

    use super::{Error, LogFormat, log_panic, subscriber};

    const EVIL: &str = "c-1\n\u{1b}[31m\r\u{202e}";

    /// What is logged in between.
    fn logged(has_colours: bool, log: impl FnOnce()) -> String {
        logged_as(LogFormat::Text, has_colours, log)
    }

    fn logged_as(format: LogFormat, has_colours: bool, log: impl FnOnce()) -> String {
        let out = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&out);
        let writer = move || Sink(Arc::clone(&sink));
        with_default(subscriber("info", format, has_colours, writer), log);
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
    fn a_line_of_json_has_everything_and_ends_where_it_ends() {
        let error = io::Error::other(EVIL);
        let as_error: &(dyn Error + 'static) = &error;
        let line = logged_as(LogFormat::Json, true, || {
            tracing::info_span!("request", trace_id = "0af7", parent_id = 7_u64).in_scope(|| {
                tracing::warn!(account = EVIL, number = -3, share = 0.5, is_so = true, shown = %EVIL, as_error, "it {EVIL}");
            });
        });
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.contains(['\n', '\r', '\u{1b}']), "{line:?}");
        let mut object: Value = serde_json::from_str(line).unwrap();
        let time = object["time"].take();
        assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
        let fields = json!({
            "account": EVIL, "number": -3, "share": 0.5, "is_so": true, "shown": EVIL, "as_error": EVIL,
        });
        let expected = json!({
            "time": null, "level": "WARN", "target": "skillscope::log::tests", "message": format!("it {EVIL}"),
            "fields": fields, "spans": [{ "name": "request", "trace_id": "0af7", "parent_id": 7 }],
        });
        assert_eq!(object, expected);
    }

    #[test]
    fn a_line_of_json_without_fields_and_spans_has_none() {
        let line = logged_as(LogFormat::Json, false, || tracing::info!("begun"));
        let object: Value = serde_json::from_str(&line).unwrap();
        let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["level", "message", "target", "time"]);
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
        assert!(line.contains(r"c-1\n\u{1b}[31m\r\u{202e}") && line.contains("log/mod.rs:"), "{line:?}");
    }

    #[test]
    fn colours_of_the_log_itself_stay() {
        let line = logged(true, || tracing::info!(conversation = %EVIL, "shown"));
        assert!(line.contains("\u{1b}[3mconversation\u{1b}[0m"), "{line:?}");
        assert!(line.contains(r"c-1\n\u{1b}[31m\r\u{202e}"), "{line:?}");
        assert!(!line.contains("\u{1b}[31m"), "{line:?}");
    }
}
