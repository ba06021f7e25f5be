//! Lines of the log as JSON: an object each, in which text from outside is escaped as JSON says.

use std::error::Error;
use std::fmt::{self, Debug};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::Causes;

/// The name of the field that is an event's message.
const MESSAGE: &str = "message";

/// Writes an event as a line:
/// `{"time":…,"level":…,"target":…,"message":…,"fields":{…},"spans":[{"name":…,…},…]}`, of which the latter two are
/// there if there are any, the outermost span first.
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.0.remove(MESSAGE).unwrap_or_default();
        let metadata = event.metadata();
        let (time, target) = (Value::from(time), Value::from(metadata.target()));
        let level = metadata.level();
        write!(out, r#"{{"time":{time},"level":"{level}","target":{target},"message":{message}"#)?;
        if !fields.0.is_empty() {
            write!(out, r#","fields":{}"#, Value::Object(fields.0))?;
        }
        let spans = context.event_scope().into_iter().flat_map(|scope| scope.from_root());
        let mut between = r#","spans":["#;
        let mut end = "";
        for span in spans {
            write!(out, r#"{between}{{"name":{}"#, Value::from(span.name()))?;
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>()
                && !fields.is_empty()
            {
                write!(out, ",{}", fields.fields)?;
            }
            out.write_char('}')?;
            (between, end) = (",", "]");
        }
        writeln!(out, "{end}}}")
    }
}

/// Writes the fields of a span as the members of an object, without its braces.
pub(super) struct JsonFields;

impl<'w> FormatFields<'w> for JsonFields {
    fn format_fields<R: RecordFields>(&self, mut out: Writer<'w>, fields: R) -> fmt::Result {
        let mut all = Fields::default();
        fields.record(&mut all);
        let object = Value::Object(all.0).to_string();
        out.write_str(object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default())
    }

    fn add_fields(&self, current: &'w mut FormattedFields<Self>, fields: &tracing::span::Record<'_>) -> fmt::Result {
        if !current.fields.is_empty() {
            current.fields.push(',');
        }
        self.format_fields(current.as_writer(), fields)
    }
}

/// Fields by name, as values of JSON.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // What JSON has no number for is null.
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field, format!("{:?}", Causes(value)));
    }
}
