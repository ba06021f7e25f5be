//! Reads `select * from segments` of a server over Flight SQL, as a Rust client does, and prints how fast the rows
//! came.
//!
//! ```console
//! $ cargo bench --bench flight -- http://127.0.0.1:5434 3
//! ```

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark may panic, and prints")]

use std::time::Instant;

use arrow::array::{Array, RecordBatch};
use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::TryStreamExt;
use tonic::transport::Endpoint;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    // Without a server there is nothing to measure.
    let Some(url) = arguments.next() else { return println!("usage: flight URL [ROUNDS]") };
    let rounds: usize = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(3);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("there are threads");
    runtime.block_on(read(url, rounds));
}

async fn read(url: String, rounds: usize) {
    // As much as a second's rows may be under way.
    const WINDOW_BYTES: u32 = 64 << 20;
    let endpoint = Endpoint::from_shared(url).expect("it is a URL");
    let endpoint = endpoint.initial_stream_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
    let channel = endpoint.connect().await.expect("the server is there");
    let mut client = FlightSqlServiceClient::new(channel);
    for _ in 0..rounds {
        let start = Instant::now();
        let info = client.execute("select * from segments".to_owned(), None).await.expect("it is planned");
        let ticket = info.endpoint.into_iter().find_map(|endpoint| endpoint.ticket).expect("there is a ticket");
        let mut batches = client.do_get(ticket).await.expect("it runs");
        let (mut rows, mut bytes) = (0, 0);
        while let Some(batch) = batches.try_next().await.expect("rows come") {
            rows += batch.num_rows();
            bytes += size(&batch);
        }
        let (seconds, megabytes) = (start.elapsed().as_secs_f64(), bytes as f64 / 1e6);
        println!("{rows} rows, {megabytes:.0} MB in {seconds:.2} s: {:.0} MB/s", megabytes / seconds);
    }
}

/// What the values take, in bytes.
fn size(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0)).sum()
}
