//! Memory that counts as the statement's as long as it is there.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{ArrayData, ArrayRef, make_array};
use arrow::buffer::Buffer;
use bytes::Bytes;
use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// Results of fewer bytes are not counted: there are thousands of them at most.
const SMALL: usize = 64 << 10;

/// The most bytes of the results of a call for all rows of a batch, whatever memory there is.
const MAX_BATCH: usize = 256 << 20;

/// The memory in which the calls of a statement leave their results.
#[derive(Debug, Clone)]
pub(in crate::sql) struct ChargedMemory(pub(in crate::sql) Arc<dyn MemoryPool>);

impl ConfigExtension for ChargedMemory {
    const PREFIX: &'static str = "statement_memory";
}

impl ExtensionOptions for ChargedMemory {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _: &str) -> Result<()> {
        plan_err!("there is no setting {key}")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

/// The memory of the statement that runs with these options; `None` where it has none of its own.
fn pool(options: &ConfigOptions) -> Option<&Arc<dyn MemoryPool>> {
    options.extensions.get::<ChargedMemory>().map(|memory| &memory.0)
}

/// The most bytes of the results of a call for all rows of a batch.
pub(super) fn most_of_batch(options: &ConfigOptions) -> usize {
    match pool(options).map(|pool| pool.memory_limit()) {
        Some(MemoryLimit::Finite(bytes)) => (bytes / 4).min(MAX_BATCH),
        _ => MAX_BATCH,
    }
}

/// The memory of a result.
pub(super) struct Charge(Option<MemoryReservation>);

impl Charge {
    /// Takes memory for a result of so many bytes.
    pub(super) fn take(options: &ConfigOptions, call: &str, bytes: usize) -> Result<Self> {
        let Some(pool) = pool(options).filter(|_| bytes >= SMALL) else { return Ok(Self(None)) };
        let reservation = MemoryConsumer::new(call).register(pool);
        take_or_overdraw(pool, &reservation, bytes)?;
        Ok(Self(Some(reservation)))
    }

    /// The same values. Their memory is given back when the last reference to them is gone.
    pub(super) fn keep(self, values: ArrayRef) -> Result<ArrayRef> {
        let Some(reservation) = self.0 else { return Ok(values) };
        // Views share the memory of the text that they were made of, which may be that of a whole table.
        let data = values.to_data();
        let own = reservation.size().saturating_add(data.get_slice_memory_size()?);
        let bytes = values.get_array_memory_size().min(own);
        match bytes.checked_sub(reservation.size()) {
            // It is there already.
            Some(more) => reservation.grow(more),
            None => reservation.shrink(reservation.size().saturating_sub(bytes)),
        }
        Ok(make_array(charged(data, &Arc::new(reservation))?))
    }
}

/// Takes memory, and up to a quarter more than the statement may have: an operator that spills fills all of it before it
/// does so, and only when it asks for more itself. A call in between must not end the statement.
fn take_or_overdraw(pool: &Arc<dyn MemoryPool>, reservation: &MemoryReservation, bytes: usize) -> Result<()> {
    let Err(error) = reservation.try_grow(bytes) else { return Ok(()) };
    let most = match pool.memory_limit() {
        MemoryLimit::Finite(most) => most.saturating_add(most / 4),
        _ => usize::MAX,
    };
    if pool.reserved().saturating_add(bytes) > most {
        return Err(error);
    }
    reservation.grow(bytes);
    Ok(())
}

fn charged(data: ArrayData, charge: &Arc<MemoryReservation>) -> Result<ArrayData> {
    let buffers = data.buffers().iter().map(|buffer| charged_buffer(buffer, charge)).collect();
    let children = data.child_data().iter().map(|child| charged(child.clone(), charge)).collect::<Result<_>>()?;
    Ok(data.into_builder().buffers(buffers).child_data(children).build()?)
}

fn charged_buffer(buffer: &Buffer, charge: &Arc<MemoryReservation>) -> Buffer {
    if buffer.is_empty() {
        return buffer.clone();
    }
    Buffer::from(Bytes::from_owner(Charged { buffer: buffer.clone(), _charge: Arc::clone(charge) }))
}

/// A buffer whose memory is given back together with it.
struct Charged {
    buffer: Buffer,
    _charge: Arc<MemoryReservation>,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int32Array, StringArray, StringViewArray};
    use arrow::compute::take;
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn a_result_counts_as_long_as_somebody_has_it() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 20));
        let mut options = ConfigOptions::default();
        options.extensions.insert(ChargedMemory(Arc::clone(&pool)));
        assert_eq!(most_of_batch(&options), 1 << 18);
        let text = "x".repeat(1_000);
        let values: ArrayRef = Arc::new(StringArray::from(vec![text.as_str(); 200]));
        let charge = Charge::take(&options, "test", 500_000).unwrap();
        assert_eq!(pool.reserved(), 500_000);
        let kept = charge.keep(Arc::clone(&values)).unwrap();
        assert_eq!(&kept, &values);
        assert!((200_000..300_000).contains(&pool.reserved()));
        let part = kept.slice(10, 1);
        drop(kept);
        assert!(pool.reserved() > 0, "a part of it is all of it");
        let copied = take(&part, &Int32Array::from(vec![0]), None).unwrap();
        drop(part);
        assert_eq!(pool.reserved(), 0);
        assert_eq!(copied.as_string::<i32>().value(0), text);
        assert!(Charge::take(&options, "test", 2 << 20).is_err());
        assert_eq!(pool.reserved(), 0);
    }

    #[test]
    fn a_call_finds_room_beside_an_operator_that_has_all_memory() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 20));
        let mut options = ConfigOptions::default();
        options.extensions.insert(ChargedMemory(Arc::clone(&pool)));
        let operator = MemoryConsumer::new("operator").register(&pool);
        operator.try_grow(1 << 20).unwrap();
        let first = Charge::take(&options, "test", 200_000).unwrap();
        assert!(Charge::take(&options, "test", 100_000).is_err(), "a quarter more, and nothing beyond");
        assert!(operator.try_grow(1).is_err(), "the operator has to spill");
        drop(first);
        assert!(Charge::take(&options, "test", 100_000).is_ok());
    }

    #[test]
    fn memory_that_a_result_shares_with_a_table_is_not_its_own() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1 << 20));
        let mut options = ConfigOptions::default();
        options.extensions.insert(ChargedMemory(Arc::clone(&pool)));
        let text = "x".repeat(1_000);
        let table = StringViewArray::from_iter_values(std::iter::repeat_n(&text, 10_000));
        let charge = Charge::take(&options, "test", 100_000).unwrap();
        let kept = charge.keep(Arc::new(table.slice(5_000, 100))).unwrap();
        assert_eq!(pool.reserved(), 100_000 + 100 * size_of::<u128>());
        drop(kept);
        assert_eq!(pool.reserved(), 0);
    }
}
