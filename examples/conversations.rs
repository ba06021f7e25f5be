//! Follows a conversation by its events: each stay in a skill becomes a closed segment the moment it ends.
//!
//! ```console
//! $ cargo run --example conversations
//! ```

#![allow(clippy::print_stdout, reason = "an example prints its results")]

use std::error::Error;

use skillscope_segment::{
    AccountId, AgentKind, ClosedBy, Event, EventBatch, EventKind, SegmentRows, Sender, TransferReason,
};
use skillscope_store::Store;

/// 2018-01-18T09:00:00Z
const START: i64 = 1_516_266_000_000;

/// What happens, and after how many seconds: Ada answers in skill 7 and sends the conversation on to skill 8, where the
/// consumer leaves the queue before anybody is assigned.
const CONVERSATION: [(u32, EventKind<&str>); 7] = [
    (0, EventKind::Started { skill_id: 7, source: Some("WEB") }),
    (5, EventKind::Message { sender: Sender::Consumer, agent_id: None }),
    (10, EventKind::Assigned { agent_id: "ada", agent_kind: AgentKind::Human, takeover: false }),
    (25, EventKind::Message { sender: Sender::Agent, agent_id: Some("ada") }),
    (40, EventKind::Message { sender: Sender::Consumer, agent_id: None }),
    (60, EventKind::Transferred { skill_id: 8, reason: TransferReason::Skill }),
    (90, EventKind::Closed { by: ClosedBy::Consumer }),
];

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", follow()?);
    Ok(())
}

fn follow() -> Result<String, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let store = Store::open(directory.path())?;
    let mut text = String::new();
    let mut closed = 0;
    for (sequence, (seconds, kind)) in (0..).zip(CONVERSATION) {
        let time = START + i64::from(seconds) * 1000;
        let mut events = EventBatch::new();
        events.push(&Event { account_id: "acme", conversation_id: "c-1", sequence, time, kind });
        // These events are of the past: their times are taken as they are.
        let is_live = false;
        store.append_events(events, is_live)?;
        let segments = segments(&store)?;
        for segment in segments.iter().skip(closed) {
            text += &format!("after {seconds} s: {segment}\n");
        }
        closed = segments.len();
    }
    Ok(text)
}

/// The closed segments of the account, as text, in the order of the conversation.
fn segments(store: &Store) -> Result<Vec<String>, Box<dyn Error>> {
    let (snapshot, account) = (store.snapshot(), AccountId::parse("acme")?);
    let mut segments = Vec::new();
    for (batch, _) in snapshot.partitions(&account).flat_map(|partition| partition.batches()) {
        let rows = SegmentRows::new(batch)?;
        for row in 0..rows.len() {
            let segment = rows.segment(row)?;
            segments.push(format!(
                "segment {} in skill {} has ended with {}: {}",
                segment.segment_index,
                segment.skill_id,
                segment.end_reason.as_str(),
                segment.outcome.as_str()
            ));
        }
    }
    segments.sort();
    Ok(segments)
}

#[test]
fn each_stay_in_a_skill_is_a_segment_as_soon_as_it_ends() -> Result<(), Box<dyn Error>> {
    let expected = "\
after 60 s: segment 0 in skill 7 has ended with skill_transfer: interactive
after 90 s: segment 1 in skill 8 has ended with closed_by_consumer: abandoned
";
    assert_eq!(follow()?, expected);
    Ok(())
}
