//! Puts the sample of `data/` into a store, and asks SQL of it in the process, without a server.
//!
//! ```console
//! $ cargo run --example sql
//! ```

#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use skillscope_query::{Clock, Engine, Scope, SqlLimits};
use skillscope_segment::{AccountId, Format, Input, ReadOptions};
use skillscope_store::{Records, Store};

const QUESTION: &str = "
    select skill_id, count(*) as segments, count(*) filter (where outcome = 'abandoned') as abandoned
    from segments
    group by skill_id
    order by segments desc, skill_id
    limit 3";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", answer().await?);
    Ok(())
}

async fn answer() -> Result<String, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let store = Arc::new(Store::open(directory.path())?);
    let sample = File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/segments.ndjson"))?;
    let options = ReadOptions { account: None, chunk_rows: 1000, ..ReadOptions::default() };
    store.ingest(Records::Segments(Format::Ndjson), Input::File(sample), &options)?;

    let engine = Engine::new(store, Clock::System, SqlLimits::default())?;
    // The session sees the segments of this account alone.
    let scope = Scope::Account(AccountId::parse("account-1")?);
    let session = engine.sql(scope, "example");
    // Rows come in batches of Arrow while they are computed.
    let rows = session.run(QUESTION, Vec::new()).await?;
    let batches: Vec<_> = rows.try_collect().await?;
    Ok(pretty_format_batches(&batches)?.to_string())
}

#[tokio::test]
async fn the_answer_is_a_count_of_the_sample() -> Result<(), Box<dyn Error>> {
    let expected = "\
+----------+----------+-----------+
| skill_id | segments | abandoned |
+----------+----------+-----------+
| 1        | 67       | 1         |
| 2        | 54       | 3         |
| 3        | 27       | 4         |
+----------+----------+-----------+";
    assert_eq!(answer().await?, expected);
    Ok(())
}
