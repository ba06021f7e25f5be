//! Events stream in while the server is killed at random moments: a client that sends again what was not answered loses
//! nothing and doubles nothing.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::{Server, succeed};

const KILLS: u64 = 6;

/// Lines in a request.
const BATCH: usize = 40;

fn generate(what: &str, file: &Path) {
    let options = ["--rows", "6000", "--skills", "5", "--hours", "3", "--seed", "7"];
    let command = ["generate", what, "--end", "2018-01-18T08:51:55.679Z", "--out", file.to_str().unwrap()];
    succeed(command.into_iter().chain(options));
}

/// Sends requests from the one numbered `from` on until there is no answer or no more; gives the number of the first
/// that was not answered.
fn stream(url: &str, requests: &[Vec<u8>], from: usize) -> usize {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let url = format!("{url}/v1/accounts/account-1/events");
    for (number, body) in requests.iter().enumerate().skip(from) {
        let answer = agent.post(&url).content_type("application/x-ndjson").send(body.as_slice());
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        let Ok(text) = text else { return number };
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["rejected_count"], 0, "{answer}");
    }
    requests.len()
}

#[test]
fn events_that_are_sent_again_after_sigkill_give_every_segment_once() {
    let directory = TempDir::new().unwrap();
    let (events, segments) = (directory.path().join("events.ndjson"), directory.path().join("segments.ndjson"));
    generate("events", &events);
    generate("segments", &segments);
    let text = fs::read_to_string(&events).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let requests: Vec<Vec<u8>> = lines.chunks(BATCH).map(|lines| (lines.join("\n") + "\n").into_bytes()).collect();

    let (data_dir, expected) = (directory.path().join("data"), directory.path().join("expected"));
    let seed = RandomState::new().hash_one(0);
    let mut answered = 0;
    for kill in 0..KILLS {
        // What is sealed at once is on its way to the archive when the kill comes.
        let server = Server::over(&data_dir, &["--seal-grace", "0"]);
        let url = server.url.clone();
        answered = thread::scope(|scope| {
            let client = scope.spawn(|| stream(&url, &requests, answered));
            let wait = seed.rotate_left(u32::try_from(kill * 11).unwrap()) % 400;
            thread::sleep(Duration::from_millis(wait + 10));
            drop(server);
            client.join().unwrap()
        });
    }
    let server = Server::over(&data_dir, &[]);
    assert_eq!(stream(&server.url, &requests, answered), requests.len());

    succeed(["import", "segments", segments.to_str().unwrap(), "--data-dir", expected.to_str().unwrap()]);
    let rows = |server: &Server| server.segments().as_array().unwrap().clone();
    let (found, expected) = (rows(&server), rows(&Server::over(&expected, &[])));
    assert_eq!(found.len(), expected.len());
    assert!(found == expected, "the rows are others");
    assert!(!data_dir.join("dead-letters").exists());
}
