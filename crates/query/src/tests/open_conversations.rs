//! The table `open_conversations`: its rows against those that follow from the semantics by hand, what of it is visited,
//! and that it is of one moment with `segments`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use skillscope_segment::{AgentKind, ClosedBy, Event, EventKind, Sender, TransferReason};

use super::world::World;

/// 2018-01-18T08:00:00Z.
const EIGHT: i64 = 1_516_262_400_000;

/// An event of the account `acme`, so many seconds after eight.
fn event<'e>(conversation: &'e str, sequence: u64, seconds: i64, kind: EventKind<&'e str>) -> Event<&'e str> {
    Event { account_id: "acme", conversation_id: conversation, sequence, time: EIGHT + seconds * 1_000, kind }
}

fn started(skill_id: i64, source: Option<&str>) -> EventKind<&str> {
    EventKind::Started { skill_id, source }
}

fn assigned(agent_id: &str, agent_kind: AgentKind) -> EventKind<&str> {
    EventKind::Assigned { agent_id, agent_kind, takeover: false }
}

fn transferred<'e>(skill_id: i64, reason: TransferReason) -> EventKind<&'e str> {
    EventKind::Transferred { skill_id, reason }
}

const CONSUMER: EventKind<&str> = EventKind::Message { sender: Sender::Consumer, agent_id: None };
const AGENT: EventKind<&str> = EventKind::Message { sender: Sender::Agent, agent_id: None };

/// The rows of a statement as lines, with `-` for null.
async fn lines(world: &World, text: &str, account: Option<&str>) -> Vec<String> {
    world.sql(text, account).await.unwrap().iter().flat_map(lines_of).collect()
}

fn lines_of(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap());
    let columns: Vec<_> = columns.collect();
    let line = |row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(line).collect()
}

/// The number that a statement answers.
async fn number(world: &World, text: &str) -> i64 {
    lines(world, text, None).await.concat().parse().unwrap()
}

fn empty_world() -> World {
    World::new(EIGHT + 3_600_000, &[])
}

#[tokio::test]
async fn a_row_tells_of_the_segment_and_of_the_agent_of_this_moment() {
    use AgentKind::{Bot, Human};
    let world = empty_world();
    let moved = EventKind::Message { sender: Sender::Agent, agent_id: Some("a-3") };
    world.send(&[
        // It waits from the start.
        event("in-queue", 0, 0, started(7, Some("WEB"))),
        event("in-queue", 1, 1, CONSUMER),
        // An agent has it.
        event("answered", 0, 0, started(7, None)),
        event("answered", 1, 5, assigned("a-1", Human)),
        event("answered", 2, 8, AGENT),
        event("answered", 3, 9, CONSUMER),
        // The bot gave it back: what the segment had stays.
        event("given-back", 0, 0, started(8, None)),
        event("given-back", 1, 2, assigned("b-1", Bot)),
        event("given-back", 2, 3, AGENT),
        event("given-back", 3, 6, EventKind::Returned),
        event("given-back", 4, 7, CONSUMER),
        // A transfer to the skill that it is in ends nothing but the assignment.
        event("same-skill", 0, 0, started(8, None)),
        event("same-skill", 1, 4, assigned("a-2", Human)),
        event("same-skill", 2, 10, transferred(8, TransferReason::Agent)),
        // A new segment has nothing of the one before; its last agent is nobody here.
        event("moved", 0, 0, started(7, Some("APP"))),
        event("moved", 1, 1, assigned("a-3", Human)),
        event("moved", 2, 2, AGENT),
        event("moved", 3, 20, transferred(9, TransferReason::Agent)),
        event("moved", 4, 21, moved),
        // Resumed, and answered by a bot.
        event("resumed", 0, 0, started(9, Some("SMS"))),
        event("resumed", 1, 10, EventKind::Closed { by: ClosedBy::Consumer }),
        event("resumed", 2, 30, EventKind::Resumed { skill_id: 9 }),
        event("resumed", 3, 31, assigned("b-2", Bot)),
        event("resumed", 4, 33, AGENT),
        event("over", 0, 0, started(7, None)),
        event("over", 1, 1, EventKind::Closed { by: ClosedBy::Consumer }),
    ]);
    let at = |seconds: &str| format!("2018-01-18T08:00:{seconds}Z");
    let [t0, t1, t5, t6, t7, t3] = ["00", "01", "05", "06", "07", "03"].map(at);
    let [t8, t9, t10, t20, t30, t31, t33] = ["08", "09", "10", "20", "30", "31", "33"].map(at);
    assert_eq!(
        lines(&world, "select * from open_conversations order by conversation_id", None).await,
        [
            format!("acme|answered|0|7|{t0}|new_conversation|-|a-1|human|{t5}|{t8}|1|1|{t9}|consumer|false|-"),
            format!("acme|given-back|0|8|{t0}|new_conversation|{t6}|-|-|-|{t3}|1|1|{t7}|consumer|false|-"),
            format!("acme|in-queue|0|7|{t0}|new_conversation|{t0}|-|-|-|-|0|1|{t1}|consumer|false|WEB"),
            format!("acme|moved|1|9|{t20}|agent_transfer|{t20}|-|-|-|-|0|0|-|-|false|APP"),
            format!("acme|resumed|1|9|{t30}|resume|-|b-2|bot|{t31}|{t33}|1|0|{t33}|agent|true|SMS"),
            format!("acme|same-skill|0|8|{t0}|new_conversation|{t10}|-|-|-|-|0|0|-|-|false|-"),
        ]
    );
}

#[tokio::test]
async fn only_skills_that_a_filter_can_touch_are_visited() {
    let world = empty_world();
    let names: Vec<String> = (0..9).map(|number| format!("c-{number}")).collect();
    let skills = [1, 1, 1, 2, 2, 3, 4, 4, 4];
    for (account, numbers) in [("acme", 0..6), ("bolt", 3..9)] {
        let of =
            |number: usize| Event { account_id: account, ..event(&names[number], 0, 0, started(skills[number], None)) };
        world.send(&numbers.map(of).collect::<Vec<_>>());
    }
    for (condition, visited) in [
        ("true", "skills=6 of 6, rows=12"),
        ("account_id = 'acme'", "skills=3 of 3, rows=6"),
        ("'bolt' = account_id", "skills=3 of 3, rows=6"),
        ("account_id = 'nobody'", "skills=0 of 0, rows=0"),
        ("account_id in ('acme', 'nobody', 'bolt', 'x', 'y')", "skills=6 of 6, rows=12"),
        ("account_id in ('acme', 'nobody')", "skills=3 of 6, rows=6"),
        ("account_id <> 'acme'", "skills=3 of 6, rows=6"),
        ("skill_id = 2", "skills=2 of 6, rows=4"),
        ("skill_id in (1, 3, 5, 7, 9)", "skills=3 of 6, rows=5"),
        ("skill_id not in (1, 3, 5, 7, 9)", "skills=3 of 6, rows=7"),
        ("account_id = 'acme' and skill_id > 1", "skills=2 of 3, rows=3"),
        ("skill_id = 1 and account_id = 'acme' or skill_id = 4 and account_id = 'bolt'", "skills=2 of 6, rows=6"),
        ("skill_id = 2 and waiting_since is not null", "skills=2 of 6, rows=4"),
        ("skill_id = 2 or waiting_since is null", "skills=6 of 6, rows=12"),
        ("skill_id % 2 = 0", "skills=3 of 6, rows=7"),
    ] {
        let plan = format!("explain select start_time from open_conversations where {condition}");
        let plan = pretty_format_batches(&world.sql(&plan, None).await.unwrap()).unwrap().to_string();
        assert!(plan.contains(visited), "{condition}: {plan}");
    }
    // How many there are needs no visit.
    for condition in ["", " where account_id = 'acme'"] {
        let plan = format!("explain select count(*) from open_conversations{condition}");
        let plan = pretty_format_batches(&world.sql(&plan, None).await.unwrap()).unwrap().to_string();
        assert!(!plan.contains("OpenConversationsScan"), "{plan}");
    }
    assert_eq!(number(&world, "select count(*) from open_conversations").await, 12);
    assert_eq!(number(&world, "select count(*) from open_conversations where account_id = 'acme'").await, 6);
    // A filter that fails does so where there are rows that it fails on, and nowhere else.
    let failing = "select count(conversation_id) from open_conversations where 1 / (skill_id - 3) = 1";
    assert!(world.sql(failing, None).await.unwrap_err().to_string().contains("by zero"));
    assert!(world.sql(&format!("{failing} and account_id = 'nobody'"), None).await.is_ok());
}

#[tokio::test]
async fn many_conversations_come_in_pieces_and_each_of_them_once() {
    let world = empty_world();
    let names: Vec<String> = (0..40_000).map(|number| format!("c-{number}")).collect();
    let all: Vec<_> = (0..).zip(&names).map(|(number, name)| event(name, 0, 0, started(number % 2, None))).collect();
    world.send(&all);
    let text = "select count(distinct conversation_id), count(conversation_id), sum(skill_id) from open_conversations";
    assert_eq!(lines(&world, text, None).await, ["40000|40000|20000"]);
    assert_eq!(lines(&world, "select conversation_id from open_conversations limit 3", None).await.len(), 3);
    let beyond = "select conversation_id from open_conversations offset 39999";
    assert_eq!(lines(&world, beyond, None).await.len(), 1);
    // No columns at all.
    assert_eq!(number(&world, "select count(*) from (select 1 from open_conversations limit 30000)").await, 30_000);
    // Rows are made as they are read, and a statement that is left makes no more.
    let mut rows = world.session(None).run("select * from open_conversations", Vec::new()).await.unwrap();
    let first = rows.try_next().await.unwrap().unwrap();
    assert!(first.num_rows() <= 8_192, "{}", first.num_rows());
    drop(rows);
}

#[tokio::test]
async fn a_session_sees_the_open_conversations_of_its_account_alone() {
    let world = empty_world();
    world.send(&[event("c-1", 0, 0, started(7, Some("WEB")))]);
    world.send(&[Event { account_id: "bolt", ..event("secret", 0, 0, started(777_777, Some("hidden"))) }]);
    for text in [
        "select * from open_conversations",
        "select * from open_conversations where account_id = 'bolt' or skill_id > 0",
        "select * from open_conversations where account_id in ('acme', 'bolt') and skill_id <> 0",
        "select * from open_conversations a where exists (select 1 from segments union all select 1 from open_conversations b)",
        "explain analyze select * from open_conversations where skill_id > 0",
        "summarize open_conversations",
    ] {
        let own = lines(&world, text, Some("acme")).await.join("\n");
        assert!(!own.contains("secret") && !own.contains("777777") && !own.contains("hidden"), "{text}: {own}");
    }
    for account in ["acme", "bolt"] {
        let text = "select count(*), count(conversation_id), min(account_id) from open_conversations";
        assert_eq!(lines(&world, text, Some(account)).await, [format!("1|1|{account}")]);
    }
    let of_another = "select * from open_conversations where account_id = 'bolt'";
    assert!(lines(&world, of_another, Some("acme")).await.is_empty());
    assert_eq!(number(&world, "select count(conversation_id) from open_conversations").await, 2);
}

#[tokio::test]
async fn a_view_over_it_is_of_the_moment_of_each_statement() {
    let world = empty_world();
    let session = world.session(Some("acme")).with_administration();
    let view = "create view waiting as select conversation_id, skill_id from open_conversations where agent_id is null";
    session.run(view, Vec::new()).await.unwrap();
    let asked = "select * from waiting order by 1";
    assert!(lines(&world, asked, Some("acme")).await.is_empty());
    world.send(&[event("c-1", 0, 0, started(7, None)), event("c-2", 0, 0, started(8, None))]);
    assert_eq!(lines(&world, asked, Some("acme")).await, ["c-1|7", "c-2|8"]);
    world.send(&[event("c-1", 1, 1, assigned("a-1", AgentKind::Human))]);
    assert_eq!(lines(&world, asked, Some("acme")).await, ["c-2|8"]);
}

/// A commit closes a segment and opens the next; no statement sees one of the two without the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_is_open_or_closed_in_every_statement_and_never_both() {
    const CONVERSATIONS: usize = 40;
    const TRANSFERS: u64 = 12;
    let world = Arc::new(empty_world());
    let names: Vec<String> = (0..CONVERSATIONS).map(|number| format!("c-{number}")).collect();
    world.send(&names.iter().map(|name| event(name, 0, 0, started(0, None))).collect::<Vec<_>>());
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (world, done) = (Arc::clone(&world), Arc::clone(&done));
        tokio::task::spawn_blocking(move || {
            for sequence in 1..=TRANSFERS {
                for name in &names {
                    let seconds = i64::try_from(sequence).unwrap();
                    world.send(&[event(name, sequence, seconds, transferred(seconds, TransferReason::Skill))]);
                }
            }
            for name in &names {
                let closed = EventKind::Closed { by: ClosedBy::Agent };
                world.send(&[event(name, TRANSFERS + 1, 100, closed)]);
            }
            done.store(true, Ordering::SeqCst);
        })
    };
    // The last segment of each conversation that is there at all, and how many there are of it.
    let both = "(select conversation_id, segment_index from segments \
                union all select conversation_id, segment_index from open_conversations)";
    let of_each = format!(
        "select conversation_id, count(*) as n, count(distinct segment_index) as d, max(segment_index) + 1 as m \
        from {both} group by 1"
    );
    let wrong = format!(
        "select count(*), count(*) filter (where n <> m or d <> m) as wrong, \
        (select count(distinct conversation_id) from {both}) as conversations, \
        (select count(*) from (select * from segments s join open_conversations o using (conversation_id, segment_index))) as twice \
        from ({of_each})"
    );
    let (mut asked, mut was_done) = (0, false);
    while !was_done {
        was_done = done.load(Ordering::SeqCst);
        assert_eq!(lines(&world, &wrong, None).await, [format!("{CONVERSATIONS}|0|{CONVERSATIONS}|0")]);
        asked += 1;
    }
    writer.await.unwrap();
    assert!(asked > 1);
    assert_eq!(number(&world, "select count(*) from open_conversations").await, 0);
    let segments = i64::try_from(CONVERSATIONS).unwrap() * i64::try_from(TRANSFERS + 1).unwrap();
    assert_eq!(number(&world, "select count(*) from segments").await, segments);
}

/// A condition on account and skill, as a filter and as a function.
type Condition = (&'static str, fn(&str, i64) -> bool);

const CONDITIONS: [Condition; 12] = [
    ("account_id = 'acme'", |account, _| account == "acme"),
    ("account_id = 'acme' and skill_id = 2", |account, skill| account == "acme" && skill == 2),
    ("account_id in ('bolt', 'cast')", |account, _| account != "acme"),
    ("account_id >= 'b' and skill_id in (-1, 1, 2, 3, 4, 5)", |account, skill| account >= "b" && skill != 0),
    ("skill_id = -1", |_, skill| skill == -1),
    ("skill_id in (0, 2, 9)", |_, skill| skill == 0 || skill == 2),
    ("skill_id not in (0, 2)", |_, skill| skill != 0 && skill != 2),
    ("skill_id between 1 and 2", |_, skill| (1..=2).contains(&skill)),
    ("not (skill_id = 1 or account_id = 'bolt')", |account, skill| skill != 1 && account != "bolt"),
    ("account_id like '%t' and skill_id % 2 = 0", |account, skill| account != "acme" && skill % 2 == 0),
    ("(account_id, skill_id) in (('acme', 1), ('bolt', 2))", |account, skill| {
        (account, skill) == ("acme", 1) || (account, skill) == ("bolt", 2)
    }),
    ("case skill_id when 1 then account_id = 'cast' else account_id = 'bolt' end", |account, skill| {
        if skill == 1 { account == "cast" } else { account == "bolt" }
    }),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_filter_gives_the_rows_of_the_whole_that_pass_it(
        conversations in vec((select(vec!["acme", "bolt", "cast"]), -1_i64..4), 0..40),
    ) {
        let world = empty_world();
        let names: Vec<String> = (10..).take(conversations.len()).map(|number| format!("c-{number}")).collect();
        let all: Vec<_> = names.iter().zip(&conversations).collect();
        let events: Vec<Event<&str>> = all
            .iter()
            .map(|(name, (account, skill))| Event { account_id: *account, ..event(name, 0, 0, started(*skill, None)) })
            .collect();
        world.send(&events);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for (condition, passes) in CONDITIONS {
            for own in [None, Some("bolt")] {
                let text = format!("select conversation_id from open_conversations where {condition} order by 1");
                let told = runtime.block_on(lines(&world, &text, own));
                let in_scope = |account: &str| own.is_none_or(|own| own == account);
                let passing = all.iter().filter(|(_, (account, skill))| in_scope(account) && passes(account, *skill));
                prop_assert_eq!(told, passing.map(|(name, _)| (*name).clone()).collect::<Vec<_>>(), "{}", condition);
            }
        }
    }
}
