//! Where the rows of a statement wait for their reader.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::sql::bounds::bytes_of_batch;
use crate::{Error, Result};

/// Batches that are computed ahead of the reader.
const BATCHES_AHEAD: usize = 2;

/// A batch on its way to the reader. It counts in its statement's memory until it is taken.
#[derive(Debug, Clone)]
pub(in crate::sql) struct Parcel(Arc<Mutex<Option<(RecordBatch, MemoryReservation)>>>);

impl Parcel {
    fn new(batch: RecordBatch, pool: &Arc<dyn MemoryPool>) -> Self {
        let reservation = MemoryConsumer::new("rows").register(pool);
        // It is there already: what else the statement needs has to fit beside it.
        reservation.grow(bytes_of_batch(&batch));
        Self(Arc::new(Mutex::new(Some((batch, reservation)))))
    }

    /// The batch; `None` where the statement was ended meanwhile.
    pub(in crate::sql) fn take(&self) -> Option<RecordBatch> {
        self.0.lock().take().map(|(batch, _)| batch)
    }
}

/// The way from a statement to its reader. Batches that were not taken are gone when this is dropped early.
#[derive(Debug)]
pub(in crate::sql) struct Outbox {
    parcels: mpsc::Sender<Parcel>,
    /// The last batches, some of which may still be on their way.
    sent: VecDeque<Parcel>,
    /// How long the reader may take to take a batch.
    stall: Duration,
}

impl Outbox {
    pub(in crate::sql) fn new(stall: Duration) -> (Self, mpsc::Receiver<Parcel>) {
        let (parcels, received) = mpsc::channel(BATCHES_AHEAD);
        (Self { parcels, sent: VecDeque::with_capacity(BATCHES_AHEAD), stall }, received)
    }

    /// Whether a batch can be sent now.
    pub(in crate::sql) fn has_room(&self) -> bool {
        self.parcels.capacity() > 0
    }

    /// Whether the reader has gone.
    pub(in crate::sql) fn is_closed(&self) -> bool {
        self.parcels.is_closed()
    }

    /// Sends a batch as soon as there is room. To a reader that has gone, nothing is sent.
    pub(in crate::sql) async fn send(&mut self, batch: RecordBatch, pool: &Arc<dyn MemoryPool>) -> Result<()> {
        let parcel = Parcel::new(batch, pool);
        let Ok(room) = timeout(self.stall, self.parcels.reserve()).await else { return Err(self.stalled()) };
        if let Ok(room) = room {
            self.sent.truncate(BATCHES_AHEAD - 1);
            self.sent.push_front(parcel.clone());
            room.send(parcel);
        }
        Ok(())
    }

    /// Waits until all batches are taken, or the reader has gone.
    pub(in crate::sql) async fn emptied(mut self) -> Result<()> {
        if timeout(self.stall, self.parcels.reserve_many(BATCHES_AHEAD)).await.is_err() {
            return Err(self.stalled());
        }
        // The reader has them, and may be about to open them.
        self.sent.clear();
        Ok(())
    }

    fn stalled(&self) -> Error {
        Error::Stalled { limit: self.stall }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.sent.iter().for_each(|parcel| drop(parcel.take()));
    }
}
