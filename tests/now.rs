//! What is open right now: the table `open_conversations`, `now` and the sister method `msgqueuehealth/current` agree
//! with [a model](model) that follows the same events, at random instants and over restarts; and nobody sees a
//! conversation open and closed at once, or neither.
//!
//! `SKILLSCOPE_NOW_SEED` repeats the conversations and instants of an earlier run; a check that fails tells it.

mod conversations;
mod model;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bank_calls;
use crate::binary::Server;
use crate::dice::Dice;
use crate::events::event;

use model::Model;

const MINUTE_MS: u64 = 60_000;

/// Every column but the account by its name, times in milliseconds.
const OPEN: &str = "select conversation_id, segment_index, skill_id, cast(start_time as bigint) as start_time, \
    start_reason, \
    cast(waiting_since as bigint) as waiting_since, agent_id, user_type, \
    cast(assigned_time as bigint) as assigned_time, \
    cast(first_agent_message_time as bigint) as first_agent_message_time, agent_messages, consumer_messages, \
    cast(last_message_time as bigint) as last_message_time, last_message_by, is_resumed, source \
    from open_conversations";

/// Segments, closed and open; and whether each is there once.
const KEYS: &str = "select count(*) as segments, count(distinct conversation_id || ' ' || segment_index) as keys \
    from ( \
    select conversation_id, segment_index from segments \
    union all select conversation_id, segment_index from open_conversations)";

fn seed() -> u64 {
    let given = std::env::var("SKILLSCOPE_NOW_SEED").ok().map(|seed| seed.parse().unwrap());
    given.unwrap_or_else(|| RandomState::new().hash_one(0))
}

/// A server whose clock is fixed, beside the model of what it was sent.
struct Scene {
    account: &'static str,
    folder: TempDir,
    model: Model,
    /// How to repeat this.
    name: String,
    /// The most conversations that were open, and waited, at once.
    most: (usize, usize),
}

impl Scene {
    fn new(account: &'static str, name: String) -> Self {
        Self { account, folder: TempDir::new().unwrap(), model: Model::default(), name, most: (0, 0) }
    }

    fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Delivers events to a server that is then killed, with a look at what is open after the start, now and then while
    /// they come, when all have come, and after the next start.
    fn play(&mut self, requests: &[String], dice: &mut Dice) {
        let latest = requests.iter().flat_map(|request| request.lines()).map(time_of).max();
        let instant = around(latest.unwrap_or(0).max(self.model.watermark()), dice);
        let server = self.serve(instant);
        self.check(&server, instant, dice);
        for request in requests {
            self.post(&server, request);
            self.model.deliver(request);
            if dice.one_in(3) {
                self.check(&server, instant, dice);
            }
        }
        self.check(&server, instant, dice);
        // What was answered may be sent again.
        if let Some(request) = requests.last() {
            self.post(&server, request);
        }
        drop(server);
        let instant = around(self.model.watermark(), dice);
        self.check(&self.serve(instant), instant, dice);
    }

    fn serve(&self, instant: i64) -> Server {
        Server::over(self.data_dir(), &["--now", &instant.to_string()])
    }

    #[track_caller]
    fn post(&self, server: &Server, request: &str) {
        let path = format!("/v1/accounts/{}/events", self.account);
        let (status, answer) = server.post(&path, "application/x-ndjson", request.as_bytes());
        assert_eq!(status, 200, "{answer}; {}", self.name);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["rejected_count"], 0, "{answer}; {}", self.name);
    }

    /// Compares what each door tells with the model.
    #[track_caller]
    fn check(&mut self, server: &Server, instant: i64, dice: &mut Dice) {
        let name = format!("at {instant}; {}", self.name);
        let rows = server.sql(&format!("{OPEN} where account_id = '{}' order by conversation_id", self.account));
        let (rows, expected) = (rows.as_array().unwrap(), self.model.rows());
        for (row, expected) in rows.iter().zip(&expected) {
            assert_eq!(row, expected, "{name}");
        }
        assert_eq!(rows.len(), expected.len(), "{name}");
        let segments = self.model.segments();
        assert_eq!(server.sql(KEYS), json!([{ "segments": segments, "keys": segments }]), "{name}");

        let skills = self.model.skills();
        let some: BTreeSet<i64> = skills.iter().copied().filter(|_| dice.one_in(2)).chain([12_345]).collect();
        let chosen = some.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let now = format!("/v1/accounts/{}/now", self.account);
        let health = format!("/operations/api/account/{}/msgqueuehealth/current", self.account);
        for (query, skills) in [(String::new(), &skills), (format!("skillIds={chosen}"), &some)] {
            assert_eq!(get(server, &format!("{now}?{query}")), self.model.now(instant, skills), "{query} {name}");
            let expected = self.model.queue_health(instant, skills);
            assert_eq!(get(server, &format!("{health}?v=1&{query}")), expected, "{query} {name}");
            assert_eq!(get(server, &format!("{health}/?v=1&{query}")), expected, "{query} {name}");
        }
        let waiting = expected.iter().filter(|row| !row["waiting_since"].is_null()).count();
        self.most = (self.most.0.max(rows.len()), self.most.1.max(waiting));
    }
}

fn time_of(event: &str) -> i64 {
    serde_json::from_str::<Value>(event).unwrap()["time"].as_i64().unwrap()
}

/// An instant in the half hour of another: before it, too.
fn around(instant: i64, dice: &mut Dice) -> i64 {
    let after = i64::try_from(dice.below(30 * MINUTE_MS)).unwrap();
    (instant - 15 * 60_000 + after).max(0)
}

fn get(server: &Server, path: &str) -> Value {
    let (status, body) = server.get(path);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

/// Cuts what is delivered into as many pieces as are wanted, wherever the dice fall.
fn pieces<'l>(lines: &'l [String], count: usize, dice: &mut Dice) -> Vec<&'l [String]> {
    let length = lines.len();
    let mut cuts: Vec<usize> = (1..count).map(|_| dice.below(length as u64) as usize).chain([0, length]).collect();
    cuts.sort_unstable();
    cuts.windows(2).map(|cuts| &lines[cuts[0]..cuts[1]]).collect()
}

#[test]
fn what_is_open_agrees_with_a_model_over_conversations_in_which_anything_happens() {
    let seed = seed();
    let mut dice = Dice(seed);
    let mut scene = Scene::new("acme", format!("SKILLSCOPE_NOW_SEED={seed}"));
    let lines = conversations::delivered(400, &mut dice);
    for piece in pieces(&lines, 12, &mut dice) {
        let requests: Vec<String> = piece.chunks(1 + dice.below(300) as usize).map(<[String]>::concat).collect();
        scene.play(&requests, &mut dice);
    }
    assert!(scene.most.0 > 100 && scene.most.1 > 30, "{:?} are few; {}", scene.most, scene.name);
}

#[test]
fn what_is_open_agrees_with_a_model_over_real_calls() {
    let test = "what_is_open_agrees_with_a_model_over_real_calls";
    let Some(events) = bank_calls::shuffled(test) else { return };
    let mut dice = Dice(bank_calls::seed());
    let mut scene = Scene::new("bank", bank_calls::repeat());
    let lines: Vec<String> = events.split_inclusive('\n').map(str::to_owned).collect();
    for piece in pieces(&lines, 12, &mut dice) {
        let requests: Vec<String> = piece.chunks(50_000).map(<[String]>::concat).collect();
        scene.play(&requests, &mut dice);
    }
    assert!(scene.most.0 > 5 && scene.most.1 > 0, "{:?} are few; {}", scene.most, scene.name);
}

const WRITERS: u64 = 4;
const REQUESTS_OF_A_WRITER: u64 = 250;

/// How many conversations begin with each request.
const STARTS: u64 = 2;

/// Conversations that are seen; the rows that they have; and those that are wrong: with a segment twice, with one
/// missing, or with no end, or two. A conversation's end is the segment that is open, or the one that closed it.
const SEEN: &str = "with seen as ( \
        select conversation_id, segment_index, cast(end_reason as varchar) as end_reason from segments \
        union all select conversation_id, segment_index, null from open_conversations), \
    conversations as ( \
        select conversation_id, count(*) as rows, count(distinct segment_index) as keys, \
            max(segment_index) as last, \
            count(*) filter (where end_reason is null or end_reason like 'closed%') as ends \
        from seen group by conversation_id) \
    select count(*) as conversations, coalesce(sum(rows), 0) as rows, \
        count(*) filter (where keys <> rows or last + 1 <> rows or ends <> 1) as wrong from conversations";

/// How many conversations writers have sent, and how many of them have been acknowledged.
#[derive(Default)]
struct Progress {
    sent: AtomicU64,
    acknowledged: AtomicU64,
    is_over: AtomicBool,
}

#[test]
fn each_conversation_is_open_or_closed_in_every_statement_while_writers_commit() {
    let directory = TempDir::new().unwrap();
    // Segments leave memory meanwhile, too.
    let server = Server::over(directory.path(), &["--seal-grace", "0", "--hot-hours", "1"]);
    let progress = Progress::default();
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move_in(&server, &progress, writer))).collect();
        for _ in 0..2 {
            scope.spawn(|| while_it_goes_on(&progress, || look_at_the_tables(&server, &progress)));
        }
        scope.spawn(|| while_it_goes_on(&progress, || look_at_now(&server)));
        let results: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        progress.is_over.store(true, Ordering::SeqCst);
        assert!(results.iter().all(Result::is_ok), "a writer failed");
    });
    let conversations = WRITERS * REQUESTS_OF_A_WRITER * STARTS;
    assert_eq!(look_at_the_tables(&server, &progress), conversations);
    // Those that began with the last three requests of a writer are still open.
    let open = WRITERS * STARTS * 3;
    assert_eq!(server.sql("select count(*) as n from open_conversations"), json!([{ "n": open }]));
    assert_eq!(look_at_now(&server), open);
}

/// Sends the requests of a writer. With each, conversations begin, and those of the three requests before go on: an
/// agent answers, then they are transferred, then closed.
fn move_in<'s>(server: &'s Server, progress: &'s Progress, writer: u64) -> impl FnOnce() + use<'s> {
    move || {
        for request in 0..REQUESTS_OF_A_WRITER {
            let mut lines = String::new();
            for step in 0..=request.min(3) {
                for number in 0..STARTS {
                    lines += &events_of_step(&format!("c-{writer}-{}-{number}", request - step), step);
                }
            }
            progress.sent.fetch_add(STARTS, Ordering::SeqCst);
            let (status, answer) = server.post("/v1/accounts/acme/events", "application/x-ndjson", lines.as_bytes());
            assert_eq!(status, 200, "{answer}");
            progress.acknowledged.fetch_add(STARTS, Ordering::SeqCst);
        }
    }
}

fn events_of_step(conversation: &str, step: u64) -> String {
    let time = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let event = |sequence, kind, fields| event(conversation, sequence, time, kind, fields);
    match step {
        0 => event(0, "conversation_started", json!({ "skill_id": 7 })),
        1 => {
            event(1, "agent_assigned", json!({ "agent_id": "ada", "user_type": "human" }))
                + &event(2, "message", json!({ "sender": "agent" }))
        }
        2 => event(3, "transferred", json!({ "skill_id": 8, "reason": "skill" })),
        _ => event(4, "conversation_closed", json!({ "by": "consumer" })),
    }
}

fn while_it_goes_on(progress: &Progress, look: impl Fn() -> u64) {
    while !progress.is_over.load(Ordering::SeqCst) {
        look();
    }
}

/// Sees every conversation that was acknowledged before, and each once; tells how many there are.
fn look_at_the_tables(server: &Server, progress: &Progress) -> u64 {
    let before = progress.acknowledged.load(Ordering::SeqCst);
    let rows = server.sql(SEEN);
    let sent = progress.sent.load(Ordering::SeqCst);
    let seen = rows[0]["conversations"].as_u64().unwrap();
    assert_eq!(rows[0]["wrong"], 0, "{rows}");
    assert!((before..=sent).contains(&seen), "{seen} of {before} to {sent} conversations");
    seen
}

/// What is told of skills makes up the total, and whoever does not wait is with somebody; tells how many are open.
fn look_at_now(server: &Server) -> u64 {
    let now = get(server, "/v1/accounts/acme/now");
    let count = |metrics: &Value, name: &str| metrics[name].as_u64().unwrap();
    let total = &now["metricsTotal"];
    for name in ["openConversations", "waitingConversations", "assignedToHuman", "waitingForFirstAgentMessage"] {
        let of_skills = now["skillsMetrics"].as_object().unwrap().values();
        assert_eq!(of_skills.map(|metrics| count(metrics, name)).sum::<u64>(), count(total, name), "{now}");
    }
    let [open, waiting, human, bot] = ["openConversations", "waitingConversations", "assignedToHuman", "assignedToBot"]
        .map(|name| count(total, name));
    assert_eq!(open, waiting + human + bot, "{now}");
    open
}
