//! A report tells how far its data go, and the server tells of accounts of which nothing comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::Request;
use skillscope_segment::{AccountId, Format, Input, ReadOptions};
use skillscope_store::{Clock, Records, Store, StoreOptions};
use tempfile::TempDir;

use super::door::{Answer, Door, NOW, SEGMENTS, line, report_of};
use crate::quiet_accounts::QuietAccounts;

const NDJSON: &str = "application/x-ndjson";

const MINUTE: i64 = 60_000;

/// `Data-Until` and `Last-Arrival`.
fn headers(answer: &Answer) -> [Option<&str>; 2] {
    ["data-until", "last-arrival"].map(|name| answer.header(name))
}

fn second(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn a_report_tells_the_latest_end_and_the_last_arrival() {
    let door = Door::new();
    assert_eq!(headers(&door.get(&report_of("acme")).await), [None, None]);
    let before = second(SystemTime::now());
    // Ninety seconds before the clock of reports, which stands at 08:51:55.679 on 18 January 2018.
    door.post(SEGMENTS, NDJSON, line("c-1", 7, 90_000) + &line("c-2", 7, 3_600_000)).await;
    let answer = door.get(&report_of("acme")).await;
    let [until, arrival] = headers(&answer).map(Option::unwrap);
    assert_eq!(until, "Thu, 18 Jan 2018 08:50:25 GMT");
    let arrival = second(httpdate::parse_http_date(arrival).unwrap());
    assert!((before..=second(SystemTime::now())).contains(&arrival), "{arrival}");
    assert_eq!(headers(&door.get(&report_of("bolt")).await), [None, None], "of another account nothing is told");
    assert_eq!(headers(&door.get("/operations/api/account/acme/msgskillsegments?v=1").await), [None, None]);
}

#[tokio::test]
async fn events_move_both_headers_before_a_segment_closes() {
    let door = Door::new();
    let event = serde_json::json!({
        "conversation_id": "c-1", "sequence": 0, "time": NOW - 1000, "type": "conversation_started", "skill_id": 7,
    });
    door.post("/v1/accounts/acme/events", NDJSON, event.to_string()).await;
    let answer = door.get(&report_of("acme")).await;
    assert_eq!(headers(&answer)[0], Some("Thu, 18 Jan 2018 08:51:54 GMT"));
    assert!(headers(&answer)[1].is_some());
}

#[tokio::test]
async fn a_compressed_report_and_a_large_one_have_them_too() {
    let door = Door::new();
    let many: String = (0..190).map(|skill| line(&format!("c-{skill}"), skill, 1)).collect();
    door.post(SEGMENTS, NDJSON, many).await;
    let large = format!("{}&interval=5", report_of("acme"));
    for uri in [report_of("acme"), large] {
        for encoding in ["gzip", "identity"] {
            let request = Request::get(&uri).header("accept-encoding", encoding).body(Body::empty()).unwrap();
            let answer = door.send(request).await;
            assert_eq!(answer.header("content-encoding").is_some(), encoding == "gzip");
            assert!(headers(&answer).iter().all(Option::is_some), "{uri} {encoding}");
        }
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_read_them() {
    let door = Door::with_cors(&["https://wall.example"]);
    let request = Request::get(report_of("acme")).header("origin", "https://wall.example").body(Body::empty()).unwrap();
    let answer = door.send(request).await;
    let exposed = answer.header("access-control-expose-headers").unwrap().to_ascii_lowercase();
    for name in ["data-until", "last-arrival"] {
        assert!(exposed.split(',').any(|header| header.trim() == name), "{exposed}");
    }
}

#[tokio::test]
async fn quiet_accounts_are_counted_where_somebody_wants_to_know() {
    let door = Door::new();
    assert_eq!(door.get("/readyz").await.json(), serde_json::json!({ "status": "ready" }));
    assert!(!door.get("/metrics").await.text().contains("\nskillscope_quiet_accounts "));
    door.post(SEGMENTS, NDJSON, line("c-1", 7, 1)).await;
    door.app.tell_of_quiet_accounts(Duration::from_millis(1));
    let mut ready = door.get("/readyz").await;
    while ready.json()["quiet_accounts"] != 1 {
        tokio::task::yield_now().await;
        ready = door.get("/readyz").await;
    }
    assert_eq!(ready.status, 200);
    assert!(!ready.text().contains("acme"), "whoever has no token is told no names");
    assert!(door.get("/metrics").await.text().contains("\nskillscope_quiet_accounts 1\n"));
}

#[tokio::test]
async fn a_contradiction_is_rejected_with_its_line_the_field_and_both_values() {
    let door = Door::new();
    door.post(SEGMENTS, NDJSON, line("c-1", 7, 1)).await;
    let answer = door.post(SEGMENTS, NDJSON, line("c-2", 7, 1) + &line("c-1", 8, 1) + &line("c-1", 7, 1)).await;
    let reason =
        "segment 0 of conversation \"c-1\" is stored with skill_id 7, not 8: the first write of a segment counts";
    let expected = serde_json::json!({
        "accepted": 1, "duplicates": 1, "rejected_count": 1, "rejected": [{ "line": 2, "error": reason }],
    });
    assert_eq!(answer.json(), expected);
    let rows = door.sql("select rejected, hot_rows, archived_rows, open_conversations from system.accounts").await;
    let expected = serde_json::json!([{ "rejected": 1, "hot_rows": 2, "archived_rows": 0, "open_conversations": 0 }]);
    assert_eq!(rows.json(), expected);
}

fn send(store: &Store, account: &str, conversation: &str) {
    let options = ReadOptions { account: Some(AccountId::parse(account).unwrap()), ..ReadOptions::default() };
    let input = Input::Bytes(line(conversation, 7, 1).into());
    store.ingest(Records::Segments(Format::Ndjson), input, &options).unwrap();
}

#[tokio::test]
async fn an_account_falls_quiet_after_its_time_and_is_heard_again_when_something_comes() {
    let (folder, now) = (TempDir::new().unwrap(), Arc::new(AtomicI64::new(NOW)));
    let clock = Clock::Simulated(Arc::clone(&now));
    let options = StoreOptions { clock, ..StoreOptions::default() };
    let store = Arc::new(Store::open_with(folder.path(), options.clone()).unwrap());
    let quiet = QuietAccounts::new(Duration::from_secs(15 * 60));
    let number = |store: &Arc<Store>| {
        quiet.look(store);
        quiet.number()
    };
    assert_eq!(number(&store), 0);
    send(&store, "acme", "c-1");
    now.fetch_add(10 * MINUTE, Ordering::Relaxed);
    send(&store, "bolt", "c-1");
    now.fetch_add(5 * MINUTE, Ordering::Relaxed);
    assert_eq!(number(&store), 0, "not before the time is over");
    now.fetch_add(1, Ordering::Relaxed);
    assert_eq!((number(&store), number(&store)), (1, 1));
    send(&store, "acme", "c-1");
    assert_eq!(number(&store), 1, "a duplicate says nothing new");
    send(&store, "acme", "c-2");
    assert_eq!(number(&store), 0);
    now.fetch_add(20 * MINUTE, Ordering::Relaxed);
    assert_eq!(number(&store), 2);
    drop(store);
    let reopened = Arc::new(Store::open_with(folder.path(), options).unwrap());
    assert_eq!(number(&reopened), 2, "a restart does not end the silence");
}
