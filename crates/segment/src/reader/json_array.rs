//! Reads JSON arrays, element by element.

use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::collector::Collector;
use super::{Chunk, ReadOptions, segment};
use crate::Error;

/// Reads a JSON array of segments, up to its end or to the first text that is not JSON.
pub(super) fn read<E: From<Error>, S>(
    input: impl Read,
    options: &ReadOptions,
    collector: &mut Collector<'_, S>,
) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    let (mut number, mut stopped) = (0, Ok(()));
    let elements = Elements(|json: &str| {
        number += 1;
        let record = segment(json.as_bytes(), options, collector.tells());
        stopped = collector.take(number, record);
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

/// Passes each element of a JSON array to a function as raw text, so that an element of the wrong form is rejected
/// alone. A function that breaks ends the reading with an error.
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
