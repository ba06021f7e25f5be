use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Chunk;
use super::collector::Collector;
use super::json_object;
use crate::Error;

/// Reads a JSON array of segments. Text that is no JSON ends the reading there.
pub(super) fn read<E: From<Error>, S>(input: impl Read, collector: &mut Collector<'_, S>) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    let (mut number, mut stopped) = (0, Ok(()));
    let elements = Elements(|json: &str| {
        number += 1;
        stopped = collector.take(number, json_object::parse(json.as_bytes()));
        if stopped.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let outcome = elements.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    stopped?;
    match outcome {
        Ok(()) => Ok(()),
        Err(error) => collector.broken(number + 1, error.to_string()),
    }
}

/// A JSON array, of which each element is handed on as the text that it is, so that an element that is no record costs
/// itself alone. Reading ends with an error where the function wants no more.
pub(super) struct Elements<F>(pub(super) F);

impl<'de, F: FnMut(&str) -> ControlFlow<()>> DeserializeSeed<'de> for Elements<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(&str) -> ControlFlow<()>> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element::<Box<RawValue>>()? {
            if (self.0)(element.get()).is_break() {
                return Err(de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
