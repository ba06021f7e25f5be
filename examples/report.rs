//! Opens a store, puts closed segments into it, and asks for the report of the last hour.
//!
//! ```console
//! $ cargo run --example report
//! ```

#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;
use std::sync::Arc;

use skillscope_query::{Clock, Engine, ReportRequest, SqlLimits};
use skillscope_segment::{AccountId, Format, Input, ReadOptions};
use skillscope_store::{Records, Store};

/// 2018-01-18T09:00:00Z. A program whose segments close now takes [`Clock::System`].
const NOW: i64 = 1_516_266_000_000;

/// Two answered conversations, an abandoned one, and one that ended before the last hour.
const SEGMENTS: &str = r#"
{"conversation_id":"c-1","segment_index":0,"skill_id":7,"start_time":"2018-01-18T08:00:00Z","end_time":"2018-01-18T08:10:00Z","start_reason":"new_conversation","end_reason":"closed_by_agent","user_type":"human","outcome":"interactive","abandoned_in_queue":false,"first_assigned_time":"2018-01-18T08:00:30Z","first_agent_message_time":"2018-01-18T08:00:40Z","time_to_first_agent_message_ms":10000,"agent_messages":2,"consumer_messages":2}
{"conversation_id":"c-2","segment_index":0,"skill_id":7,"start_time":"2018-01-18T08:20:00Z","end_time":"2018-01-18T08:40:00Z","start_reason":"new_conversation","end_reason":"closed_by_consumer","user_type":"human","outcome":"interactive","abandoned_in_queue":false,"first_assigned_time":"2018-01-18T08:21:00Z","first_agent_message_time":"2018-01-18T08:21:20Z","time_to_first_agent_message_ms":20000,"agent_messages":3,"consumer_messages":4}
{"conversation_id":"c-3","segment_index":0,"skill_id":8,"start_time":"2018-01-18T08:45:00Z","end_time":"2018-01-18T08:50:00Z","start_reason":"new_conversation","end_reason":"closed_by_consumer","user_type":"none","outcome":"abandoned","abandoned_in_queue":true,"agent_messages":0,"consumer_messages":1}
{"conversation_id":"c-4","segment_index":0,"skill_id":8,"start_time":"2018-01-18T07:45:00Z","end_time":"2018-01-18T07:59:59Z","start_reason":"new_conversation","end_reason":"closed_by_consumer","user_type":"none","outcome":"abandoned","abandoned_in_queue":true,"agent_messages":0,"consumer_messages":1}
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", report().await?);
    Ok(())
}

async fn report() -> Result<String, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let store = Arc::new(Store::open(directory.path())?);
    let account = AccountId::parse("acme")?;
    let options = ReadOptions { account: Some(account), chunk_rows: 1000, ..ReadOptions::default() };
    let input = Input::Bytes(SEGMENTS.trim_start().into());
    let ingested = store.ingest(Records::Segments(Format::Ndjson), input, &options)?;

    let engine = Engine::new(Arc::clone(&store), Clock::Fixed(NOW), SqlLimits::default())?;
    let request = ReportRequest::from_parameters("acme", NOW, &[("timeframe", "60"), ("v", "1")])?;
    let report = engine.report(&request).await?;

    let mut text = format!("{} segments are stored\n", ingested.accepted);
    for (skill, metrics) in &report.summary.skills {
        text += &format!(
            "skill {skill}: {} segments, {} interactive, {} abandoned, {} ms to the first message of an agent\n",
            metrics.total,
            metrics.interactive,
            metrics.abandoned,
            metrics.avg_time_to_first_agent_message_ms()
        );
    }
    text += &format!("all skills: {} segments\n", report.summary.total.total);
    Ok(text)
}

#[tokio::test]
async fn the_report_counts_the_segments_that_ended_in_the_last_hour() -> Result<(), Box<dyn Error>> {
    let expected = "\
4 segments are stored
skill 7: 2 segments, 2 interactive, 0 abandoned, 15000 ms to the first message of an agent
skill 8: 1 segments, 0 interactive, 1 abandoned, 0 ms to the first message of an agent
all skills: 3 segments
";
    assert_eq!(report().await?, expected);
    Ok(())
}
