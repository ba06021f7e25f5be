//! Rows in memory, as a scan hands them out: some columns of them, in slices.

use arrow::array::{ArrayRef, RecordBatch};
use datafusion::error::Result;
use skillscope_segment::{column, schema};
use skillscope_store::ArrivalTimes;

/// Some columns of rows in memory. When rows arrived is kept apart from their other columns, in less memory than a column
/// takes: it becomes one where a slice is handed out.
#[derive(Debug, Clone)]
pub(super) struct MemoryRows {
    /// The wanted columns, without the time of arrival.
    pub(super) batch: RecordBatch,
    /// `None` where the time of arrival is not wanted.
    pub(super) arrived: Option<Arrived>,
}

/// When rows arrived, as a column among others.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    /// Its place among the wanted columns.
    pub(super) place: usize,
    times: ArrivalTimes,
    /// The first of the rows.
    start: usize,
    rows: usize,
}

impl MemoryRows {
    /// The columns of [`schema`] at the places `projection`, or all.
    pub(super) fn new(batch: &RecordBatch, times: &ArrivalTimes, projection: Option<&Vec<usize>>) -> Result<Self> {
        let arrival = schema().index_of(column::ARRIVAL_TIME)?;
        let all: Vec<usize>;
        let wanted = match projection {
            Some(columns) => columns,
            None => {
                all = (0..schema().fields().len()).collect();
                &all
            }
        };
        let others: Vec<usize> = wanted.iter().copied().filter(|column| *column != arrival).collect();
        let arrived = wanted.iter().position(|column| *column == arrival).map(|place| Arrived {
            place,
            times: times.clone(),
            start: 0,
            rows: batch.num_rows(),
        });
        Ok(Self { batch: batch.project(&others)?, arrived })
    }

    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Some of the rows, which must be among them.
    pub(super) fn slice(&self, start: usize, rows: usize) -> Self {
        let arrived = self.arrived.as_ref().map(|arrived| Arrived {
            start: arrived.start.saturating_add(start),
            rows,
            ..arrived.clone()
        });
        Self { batch: self.batch.slice(start, rows), arrived }
    }
}

impl Arrived {
    pub(super) fn column(&self) -> ArrayRef {
        self.times.column(self.start..self.start.saturating_add(self.rows))
    }
}
