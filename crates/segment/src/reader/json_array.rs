use std::fmt;
use std::io::Read;

use serde::de::{self, Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Chunk;
use super::collector::Collector;
use super::record;
use crate::Error;

/// Reads the elements of one array. Each is first taken as it stands, so that an element that is no segment costs
/// itself alone; text that is no JSON ends the reading there.
pub(super) fn read<E: From<Error>, S>(input: impl Read, collector: &mut Collector<'_, S>) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    let mut elements = Elements { collector, read: 0, stopped: None };
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let outcome = deserializer.deserialize_seq(&mut elements).and_then(|()| deserializer.end());
    let Elements { read, stopped, .. } = elements;
    match (stopped, outcome) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => collector.broken(read + 1, error.to_string()),
        (None, Ok(())) => Ok(()),
    }
}

struct Elements<'c, 'o, S, E> {
    collector: &'c mut Collector<'o, S>,
    read: u64,
    /// The error with which the collector wanted no more.
    stopped: Option<E>,
}

impl<'de, S, E: From<Error>> Visitor<'de> for &mut Elements<'_, '_, S, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element::<Box<RawValue>>()? {
            self.read += 1;
            if let Err(error) = self.collector.take(self.read, record::parse(element.get().as_bytes())) {
                self.stopped = Some(error);
                return Err(de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
