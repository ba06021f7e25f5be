//! The server is killed at random moments: what it acknowledged is there afterwards, once, and of the rest no request
//! by halves.
//!
//! `SKILLSCOPE_CRASH_ROUNDS` sets the number of kills, and `SKILLSCOPE_CRASH_SEED` repeats the choices of an earlier
//! run, though not its timing. A run that fails tells its seed and keeps its data directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Server, serve, skillscope, stderr};
use crate::dice::Dice;
use crate::process::{PATIENCE, end_of, until};

const ROUNDS: u64 = 25;

/// Then a new data directory is begun: checks stay short, and answers far below the most rows that SQL gives.
const MOST_ROUNDS_OF_A_DIRECTORY: u64 = 40;

/// After fewer, there may not have been enough small files of a day to be merged.
const ROUNDS_UNTIL_FILES_ARE_MERGED: u64 = 5;

const CLIENTS: u64 = 3;

/// The account whose segments are kept forever.
const KEPT: &str = "acme";

/// The account whose segments are older than they may become.
const EXPIRING: &str = "old";

/// What makes the server seal at once, read most rows from files and remove some of these.
const OPTIONS: [&str; 6] = ["--seal-grace", "0", "--hot-hours", "1", "--retain", "old=24h"];

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

#[test]
fn what_was_acknowledged_survives_sigkill() {
    let rounds = number_of("SKILLSCOPE_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let seed = number_of("SKILLSCOPE_CRASH_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    let mut dice = Dice(seed);
    let directories = rounds.div_ceil(MOST_ROUNDS_OF_A_DIRECTORY);
    for directory in 0..directories {
        let scene = Scene::new(format!("SKILLSCOPE_CRASH_SEED={seed}"));
        let rounds = rounds / directories + u64::from(directory < rounds % directories);
        for round in 0..rounds {
            play(&scene, round, &mut dice);
        }
        end(&scene, rounds);
    }
}

#[test]
fn a_backup_of_a_running_server_opens_as_a_data_directory() {
    let scene = Scene::new("no seed".to_owned());
    let server = Server::spawn(&mut scene.serve());
    let is_over = AtomicBool::new(false);
    let backup = thread::scope(|scope| {
        let server = Ending { server, is_over: &is_over };
        scope.spawn(client(&scene, &server, 0, &mut Dice(1)));
        // The backup is to have rows of both: files, and the journal, into which more come.
        until("rows are sealed", || !parquet_files(&scene.archive(KEPT)).is_empty());
        Backup::start(&scene, "copy").wait_and_succeed()
    });
    assert!(!parquet_files(&backup.to).is_empty(), "the backup has no files");
    backup.assert_opens_with_what_was_stored(&scene);
}

/// A round: the server is started, repairs what the last kill left, and is killed while it is busy.
fn play(scene: &Scene, round: u64, dice: &mut Dice) {
    if dice.one_in(5) {
        scene.kill_while_starting(dice.below(80));
    }
    let server = Server::spawn(&mut scene.serve());
    let is_over = AtomicBool::new(false);
    let backup = thread::scope(|scope| {
        let server = Ending { server, is_over: &is_over };
        for _ in 0..CLIENTS {
            scope.spawn(client(scene, &server, round, dice));
        }
        // Files are sealed and merged while this reads them. Some rounds end before it would, and are checked later.
        if !dice.one_in(3) {
            scene.requests.settle(&stored_rows(&server.server), round);
        }
        let mut backup = dice.one_in(4).then(|| Backup::start(scene, &format!("copy-{round}")));
        let longest = if dice.one_in(6) { 1500 } else { 700 };
        thread::sleep(Duration::from_millis(20 + dice.below(longest - 20)));
        if let Some(backup) = &mut backup {
            backup.assert_has_not_failed();
            if dice.one_in(2) {
                backup.kill();
            }
        }
        server.kill();
        backup
    });
    // It has to end before the next start, since without a server it would open the data directory itself.
    if let Some(backup) = backup {
        backup.assert_is_whole_or_none(scene);
    }
    scene.note_merged_files();
}

/// After the last round: everything is settled, and the server stops as it should.
fn end(scene: &Scene, rounds: u64) {
    let mut server = Server::spawn(&mut scene.serve());
    scene.requests.settle(&stored_rows(&server), rounds);
    until("expired rows are removed", || {
        count(&server, EXPIRING) == 0 && parquet_files(&scene.archive(EXPIRING)).is_empty()
    });
    if rounds >= ROUNDS_UNTIL_FILES_ARE_MERGED {
        until("files are merged", || {
            scene.note_merged_files();
            !lock(&scene.merged_files).is_empty()
        });
        assert!(!parquet_files(&scene.archive(KEPT)).is_empty(), "files are merged, and none is there");
    }
    scene.requests.settle(&stored_rows(&server), rounds);
    server.signal("TERM");
    assert!(server.wait().success());
    assert_sound(&scene.data_dir());
    scene.assert_no_error_was_logged();
    if number_of("SKILLSCOPE_CRASH_ROUNDS").is_some() {
        let merged = lock(&scene.merged_files).len();
        let _ = writeln!(std::io::stderr(), "{rounds} kills: {}, {merged} merged files seen", scene.requests.summary());
    }
}

/// A data directory and what was sent to it.
struct Scene {
    folder: TempDir,
    requests: Requests,
    /// The files of several hours that were seen after kills; compaction alone makes such files.
    merged_files: Mutex<BTreeSet<PathBuf>>,
    /// How to repeat this.
    name: String,
}

impl Scene {
    fn new(name: String) -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder, requests: Requests::default(), merged_files: Mutex::default(), name }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    fn archive(&self, account: &str) -> PathBuf {
        self.data_dir().join("archive").join(format!("account={account}"))
    }

    /// A file that is told of where the test fails.
    fn log(&self, name: &str) -> File {
        File::options().create(true).append(true).open(self.path(name)).unwrap()
    }

    fn serve(&self) -> Command {
        let mut command = serve();
        command.args(OPTIONS).arg("--data-dir").arg(self.data_dir()).stderr(self.log("server.log"));
        command
    }

    /// A start that is cut short must leave what the next one can repair as well.
    fn kill_while_starting(&self, after_ms: u64) {
        let mut child = self.serve().stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(after_ms));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn note_merged_files(&self) {
        let files = parquet_files(&self.archive(KEPT));
        lock(&self.merged_files).extend(files.into_iter().filter(|file| has_several_hours(file)));
    }

    /// A kill costs nothing that was written: nothing may be found damaged, missing or left over.
    fn assert_no_error_was_logged(&self) {
        let log = fs::read_to_string(self.path("server.log")).unwrap();
        // The server may say that whoever asked for a backup has gone.
        let is_error = |line: &&str| line.contains("ERROR") && !line.contains("backup");
        let errors: Vec<&str> = log.lines().filter(is_error).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if thread::panicking() {
            self.folder.disable_cleanup(true);
            let path = self.folder.path().display();
            let _ = writeln!(std::io::stderr(), "FAILED with {}; data and logs are kept in {path}", self.name);
        }
    }
}

/// A server that is killed when the value is dropped, also by a check that fails; clients know that it is meant to be.
struct Ending<'f> {
    server: Server,
    is_over: &'f AtomicBool,
}

impl Ending<'_> {
    /// Sends SIGKILL and waits for the end.
    fn kill(self) {}
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

/// Segments that are sent together, and are acknowledged together.
#[derive(Clone)]
struct Request {
    account: &'static str,
    /// What the identifiers of its conversations begin with.
    id: String,
    rows: u64,
    /// When the segments end, about, in turn.
    ends: Vec<i64>,
}

impl Request {
    /// A request of few or of some rows, which belong to one to three hours.
    fn new(id: String, dice: &mut Dice) -> Self {
        let account = if dice.one_in(6) { EXPIRING } else { KEPT };
        let rows = 1 + if dice.one_in(10) { dice.below(40) } else { dice.below(12) };
        let ends = (0..=dice.below(3)).map(|_| if account == EXPIRING { days_ago(dice) } else { any_time(dice) });
        Self { account, id, rows, ends: ends.collect() }
    }

    /// The same lines each time.
    fn body(&self) -> String {
        (0..self.rows).zip(self.ends.iter().cycle()).map(|(row, end)| self.line(row, *end)).collect()
    }

    fn line(&self, row: u64, end: i64) -> String {
        let end = end + i64::try_from(row).unwrap() * 1000;
        let record = serde_json::json!({
            "conversation_id": format!("{}/{}", self.id, row / 3), "segment_index": row % 3, "skill_id": 1 + row % 5,
            "start_time": end - 5000, "end_time": end, "start_reason": "new_conversation",
            "end_reason": "closed_by_consumer", "user_type": "none", "outcome": "abandoned",
            "abandoned_in_queue": true, "agent_messages": 0, "consumer_messages": 1,
        });
        format!("{record}\n")
    }
}

/// Some hours of past days, whose files can be merged by day.
fn days_ago(dice: &mut Dice) -> i64 {
    let today = now() - now() % DAY_MS;
    let (days, hours) = (2 + dice.below(2), 8 + dice.below(3));
    today - i64::try_from(days).unwrap() * DAY_MS + i64::try_from(hours).unwrap() * HOUR_MS
}

/// Mostly past days; else the hour before this one, which is sealed and stays in memory, or this one, whose rows stay
/// in the journal.
fn any_time(dice: &mut Dice) -> i64 {
    match dice.below(10) {
        0 | 1 => now() - now() % HOUR_MS - HOUR_MS / 2,
        2 | 3 => now() - 60_000,
        _ => days_ago(dice),
    }
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Whether the rows of a request are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The answer did not come, or not yet: all of its rows are there or none.
    Unknown,
    /// It was acknowledged, or found to be there after a kill.
    Stored,
    /// It was found not to be there after a kill.
    Lost,
}

struct Sent {
    request: Request,
    round: u64,
    fate: Fate,
}

impl Sent {
    /// Takes the request's rows out of those found, and tells whether they were there. There are all or none, each
    /// once.
    #[track_caller]
    fn is_there(&self, found: &mut Found) -> bool {
        let Request { account, id, rows, .. } = &self.request;
        let Some((total, different)) = found.remove(id) else { return false };
        assert_eq!(total, different, "some rows of {id} are there twice");
        // Retention removes rows by files.
        assert!(*account == EXPIRING || total == *rows, "{total} rows of {id} are there, not {rows}");
        true
    }
}

/// All requests that were sent to a data directory, each entered before it is sent.
#[derive(Default)]
struct Requests(Mutex<Vec<Sent>>);

impl Requests {
    fn enter(&self, request: Request, round: u64) -> usize {
        let mut all = lock(&self.0);
        all.push(Sent { request, round, fate: Fate::Unknown });
        all.len() - 1
    }

    fn acknowledge(&self, place: usize) {
        lock(&self.0)[place].fate = Fate::Stored;
    }

    /// One that was acknowledged and does not expire, if the dice find one.
    fn any_stored(&self, dice: &mut Dice) -> Option<Request> {
        let all = lock(&self.0);
        let sent = all.get(usize::try_from(dice.below(all.len().max(1) as u64)).unwrap())?;
        (sent.fate == Fate::Stored && sent.request.account == KEPT).then(|| sent.request.clone())
    }

    /// The identifiers of all that are stored by now and do not expire.
    fn stored(&self) -> BTreeSet<String> {
        let all = lock(&self.0);
        let stored = all.iter().filter(|sent| sent.fate == Fate::Stored && sent.request.account == KEPT);
        stored.map(|sent| sent.request.id.clone()).collect()
    }

    /// Compares all requests with what was found. What became of those of earlier rounds is known from now on: the
    /// server that they were sent to is no more. Those of this round may come in meanwhile.
    #[track_caller]
    fn settle(&self, found: &Found, round: u64) {
        let mut found = found.clone();
        for sent in lock(&self.0).iter_mut() {
            let is_there = sent.is_there(&mut found);
            if sent.request.account == EXPIRING || sent.round >= round {
                continue;
            }
            let id = &sent.request.id;
            match (sent.fate, is_there) {
                (Fate::Stored, false) => panic!("{id} was stored and is gone"),
                (Fate::Lost, true) => panic!("{id} was not there and came back"),
                (Fate::Unknown, _) => sent.fate = if is_there { Fate::Stored } else { Fate::Lost },
                _ => {}
            }
        }
        assert!(found.is_empty(), "nobody sent {found:?}");
    }

    /// Compares a backup with the requests that it must have.
    #[track_caller]
    fn assert_in_backup(&self, must: &BTreeSet<String>, found: &Found) {
        let mut found = found.clone();
        for sent in lock(&self.0).iter() {
            let (id, is_there) = (&sent.request.id, sent.is_there(&mut found));
            assert!(is_there || !must.contains(id), "{id} was stored before the backup and is not in it");
            assert!(!is_there || sent.fate != Fate::Lost || sent.request.account == EXPIRING, "{id} came back");
        }
        assert!(found.is_empty(), "nobody sent {found:?}");
    }

    fn summary(&self) -> String {
        let all = lock(&self.0);
        let number = |fate| all.iter().filter(|sent| sent.fate == fate && sent.request.account == KEPT).count();
        format!("{} requests, of which {} were cut off unstored", all.len(), number(Fate::Lost))
    }
}

/// For each request, the rows of it and the different keys among these.
type Found = BTreeMap<String, (u64, u64)>;

fn stored_rows(server: &Server) -> Found {
    let rows = server.sql(
        "select split_part(conversation_id, '/', 1) as request, count(*) as total, \
         count(distinct concat(conversation_id, '#', cast(segment_index as varchar))) as different \
         from segments group by 1",
    );
    let number = |row: &Value, column: &str| row[column].as_u64().unwrap();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| (row["request"].as_str().unwrap().to_owned(), (number(row, "total"), number(row, "different"))))
        .collect()
}

fn count(server: &Server, account: &str) -> u64 {
    let rows = server.sql(&format!("select count(*) as total from segments where account_id = '{account}'"));
    rows[0]["total"].as_u64().unwrap()
}

/// Posts requests to a server until that is killed.
struct Client<'s> {
    requests: &'s Requests,
    agent: ureq::Agent,
    url: String,
    is_over: &'s AtomicBool,
    round: u64,
    /// Different for each client of a data directory.
    name: String,
    dice: Dice,
}

/// A client's work.
fn client<'s>(scene: &'s Scene, server: &Ending<'s>, round: u64, dice: &mut Dice) -> impl FnOnce() + Send + use<'s> {
    let dice = Dice(dice.next());
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).timeout_global(Some(PATIENCE));
    let client = Client {
        requests: &scene.requests,
        agent: agent.build().into(),
        url: server.server.url.clone(),
        is_over: server.is_over,
        round,
        name: format!("r{round}-{:x}", dice.0),
        dice,
    };
    move || client.post_until_killed()
}

impl Client<'_> {
    fn post_until_killed(mut self) {
        // Files are merged while none waits to be sealed: some clients leave time for that.
        let longest_pause = [3, 30, 200][usize::try_from(self.dice.below(3)).unwrap()];
        for number in 0_u64.. {
            let is_answered = match self.dice.one_in(8).then(|| self.requests.any_stored(&mut self.dice)).flatten() {
                Some(request) => self.post_again(&request),
                None => self.post_new(number),
            };
            if !is_answered {
                break;
            }
            thread::sleep(Duration::from_millis(self.dice.below(longest_pause)));
        }
    }

    /// Sends segments that are new; tells whether an answer came.
    fn post_new(&mut self, number: u64) -> bool {
        let request = Request::new(format!("{}-{number}", self.name), &mut self.dice);
        let place = self.requests.enter(request.clone(), self.round);
        let Some(answer) = self.post(&request) else { return false };
        assert_eq!(answer["accepted"], request.rows, "{}: {answer}", request.id);
        self.requests.acknowledge(place);
        true
    }

    /// Sends segments that are stored; tells whether an answer came.
    fn post_again(&self, request: &Request) -> bool {
        let Some(answer) = self.post(request) else { return false };
        assert_eq!(answer["duplicates"], request.rows, "{} again: {answer}", request.id);
        true
    }

    /// The answer; `None` where the connection broke since the server was killed.
    fn post(&self, request: &Request) -> Option<Value> {
        match self.try_post(request) {
            Ok((200, text)) => Some(serde_json::from_str(&text).unwrap()),
            Ok((status, text)) => panic!("{} is answered with {status}: {text}", request.id),
            Err(error) => {
                assert!(self.is_over.load(Ordering::SeqCst), "the server broke off by itself: {error}");
                None
            }
        }
    }

    fn try_post(&self, request: &Request) -> Result<(u16, String), ureq::Error> {
        let url = format!("{}/v1/accounts/{}/segments", self.url, request.account);
        let mut response = self.agent.post(url).content_type("application/x-ndjson").send(request.body())?;
        Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
    }
}

/// A backup under way.
struct Backup {
    child: Child,
    to: PathBuf,
    /// What was stored before it began.
    must: BTreeSet<String>,
}

impl Backup {
    fn start(scene: &Scene, name: &str) -> Self {
        let (must, to) = (scene.requests.stored(), scene.path(name));
        let mut command = skillscope(["backup"]);
        command.arg("--data-dir").arg(scene.data_dir()).arg("--to").arg(&to);
        let child = command.stdout(Stdio::null()).stderr(scene.log("backup.log")).spawn().unwrap();
        Self { child, to, must }
    }

    /// While the server is there, it succeeds.
    fn assert_has_not_failed(&mut self) {
        let status = self.child.try_wait().unwrap();
        assert!(status.is_none_or(|status| status.success()), "the backup failed, and the server was running");
    }

    fn wait_and_succeed(mut self) -> Self {
        assert!(end_of(&mut self.child).success(), "the backup failed");
        self
    }

    fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
    }

    /// After it or the server was killed.
    fn assert_is_whole_or_none(mut self, scene: &Scene) {
        let status = end_of(&mut self.child);
        let is_sound = check(&self.to).status.success();
        assert!(is_sound || !status.success(), "the backup succeeded, and check finds something wrong");
        if is_sound {
            return self.assert_opens_with_what_was_stored(scene);
        }
        assert!(status.code().is_none_or(|code| code == 1), "the backup ended with {status}");
        // A folder that is empty or not there can become a new data directory.
        if self.to.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            let mut command = serve();
            command.arg("--data-dir").arg(&self.to).stdout(Stdio::null()).stderr(scene.log("backup.log"));
            assert_eq!(end_of(&mut command.spawn().unwrap()).code(), Some(1), "half a backup is refused");
        }
    }

    fn assert_opens_with_what_was_stored(self, scene: &Scene) {
        assert_sound(&self.to);
        let mut server = Server::over(&self.to, &[]);
        scene.requests.assert_in_backup(&self.must, &stored_rows(&server));
        server.signal("TERM");
        assert!(server.wait().success());
        assert_sound(&self.to);
        fs::remove_dir_all(&self.to).unwrap();
    }
}

fn check(data_dir: &Path) -> Output {
    skillscope(["check", "--data-dir"]).arg(data_dir).output().unwrap()
}

#[track_caller]
fn assert_sound(data_dir: &Path) {
    let output = check(data_dir);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{}", stderr(&output));
}

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    // Folders come and go with their files while a server runs.
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let files = paths.flat_map(|path| if path.is_dir() { parquet_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "parquet")).collect()
}

/// Whether a file is called `HH-HH-N.parquet`, not `HH-N.parquet`.
fn has_several_hours(file: &Path) -> bool {
    file.file_stem().is_some_and(|stem| stem.to_string_lossy().split('-').count() == 3)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// The number that an environment variable holds.
fn number_of(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}
