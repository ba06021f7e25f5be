//! The rows of a statement, as they are computed.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use futures::{FutureExt, Stream};
use tokio::sync::mpsc;

use super::outbox::Parcel;
use super::workers::SqlTask;
use crate::sql::definitions::Defined;
use crate::{Error, Result};

/// The answer to a statement, batch by batch, as it is computed. Dropping it ends the statement.
#[derive(Debug)]
pub struct SqlRows {
    schema: SchemaRef,
    /// `None` once the end of the statement has been given out. It is dropped before the batches: a statement whose rows
    /// nobody takes any more would otherwise have come to its end.
    task: Option<SqlTask<Result<()>>>,
    batches: mpsc::Receiver<Parcel>,
    defined: Option<Defined>,
}

impl SqlRows {
    pub(in crate::sql) fn new(schema: SchemaRef, batches: mpsc::Receiver<Parcel>, task: SqlTask<Result<()>>) -> Self {
        Self { schema, batches, task: Some(task), defined: None }
    }

    /// The answer to a statement that defines, which has been carried out: no rows.
    pub(in crate::sql) fn of_definition(defined: Defined) -> Self {
        let (_, batches) = mpsc::channel(1);
        Self { schema: Arc::new(Schema::empty()), batches, task: None, defined: Some(defined) }
    }

    /// What has become of a statement that defines; `None` for one that reads.
    pub fn defined(&self) -> Option<&Defined> {
        self.defined.as_ref()
    }

    pub(in crate::sql) fn with_schema(mut self, schema: SchemaRef) -> Self {
        self.schema = schema;
        self
    }

    /// The error that ended the statement. The future never completes if the statement succeeds.
    pub(in crate::sql) async fn failed(&mut self) -> Error {
        let ended = match &mut self.task {
            Some(task) => task.await.flatten(),
            None => Ok(()),
        };
        match ended {
            Err(error) => {
                self.task = None;
                error
            }
            // It succeeded: its columns are known, and its rows wait in the channel.
            Ok(()) => {
                self.task = None;
                std::future::pending().await
            }
        }
    }

    /// The columns of every batch.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }
}

impl Stream for SqlRows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let received = loop {
            match self.batches.poll_recv(context) {
                Poll::Ready(Some(parcel)) => match parcel.take() {
                    Some(batch) => return Poll::Ready(Some(Ok(batch))),
                    // The statement was ended, and this batch with it.
                    None => continue,
                },
                none => break none,
            }
        };
        // A statement that was ended gives its error at once, also while its last batch is still computed.
        let Some(task) = &mut self.task else { return received.map(|_: Option<Parcel>| None) };
        let ended = ready!(task.poll_unpin(context));
        self.task = None;
        match ended.flatten() {
            Err(error) => {
                self.batches.close();
                Poll::Ready(Some(Err(error)))
            }
            Ok(()) => self.poll_next(context),
        }
    }
}
