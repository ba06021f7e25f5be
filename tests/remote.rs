//! What commands send to a server that is not one of ours: their token, and nothing else of theirs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use crate::binary::{run, skillscope, stderr};

const SECRET: &str = "sk-4f1d8e0a7c";

/// Answers one request with these bytes. Gives the port, and the head of the request in the end.
fn answer_once(answer: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let head: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        (&stream).write_all(answer.as_bytes()).unwrap();
        head.join("\n")
    });
    (port, heard)
}

const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\nContent-Length: 28\r\n\
    Connection: close\r\n\r\n{\"detail\":\"it may not do it\"}";

const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\nContent-Length: 26\r\n\
    Connection: close\r\n\r\n{\"detail\":\"no such token\"}";

const ELSEWHERE: &str = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[test]
fn a_token_is_shown_wherever_it_was_given_and_never_told() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    for way in 0..3 {
        let (port, heard) = answer_once(FORBIDDEN);
        let url = format!("http://127.0.0.1:{port}");
        let mut command = skillscope(["sql", "--log", "trace", "--url", &url, "-c", "select 1"]);
        match way {
            0 => command.args(["--token", SECRET]),
            1 => command.arg("--token-file").arg(&file),
            _ => command.env("SKILLSCOPE_TOKEN", SECRET),
        };
        let output = command.output().unwrap();
        let head = heard.join().unwrap().to_lowercase();
        assert!(head.contains(&format!("authorization: bearer {SECRET}")), "{head}");
        assert_eq!(output.status.code(), Some(1));
        let told = stderr(&output);
        assert!(told.contains("it may not do it") && !told.contains(SECRET), "{told}");
    }
}

#[test]
fn who_is_not_known_is_told_how_to_say_who_asks() {
    for (more, advice) in [(&[][..], "--token-file"), (&["--token", SECRET], "does not take the token")] {
        let (port, heard) = answer_once(UNAUTHORIZED);
        let url = format!("http://127.0.0.1:{port}");
        let output = run(["sql", "--url", &url, "-c", "select 1"].iter().chain(more));
        heard.join().unwrap();
        let told = stderr(&output);
        assert!(told.contains(advice) && told.contains("no such token") && !told.contains(SECRET), "{told}");
    }
}

#[test]
fn no_redirect_is_followed() {
    let (port, heard) = answer_once(ELSEWHERE);
    let url = format!("http://127.0.0.1:{port}");
    let output = run(["sql", "--url", &url, "--token", SECRET, "-c", "select 1"]);
    heard.join().unwrap();
    assert!(stderr(&output).contains("http://elsewhere.example/; give that"), "{}", stderr(&output));
}

#[test]
fn a_token_that_goes_elsewhere_as_plain_text_is_warned_of() {
    for (host, is_warned) in [("127.0.0.1", false), ("0.0.0.0", true)] {
        let (port, heard) = answer_once(FORBIDDEN);
        let output = run(["sql", "--url", &format!("http://{host}:{port}"), "--token", SECRET, "-c", "select 1"]);
        heard.join().unwrap();
        assert_eq!(stderr(&output).contains("is not encrypted"), is_warned, "{}", stderr(&output));
    }
}

#[test]
fn a_secret_is_not_in_the_help_and_not_in_complaints() {
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("skillscope.toml");
    std::fs::write(&config, format!("token = '{SECRET}'")).unwrap();
    for arguments in
        [&["sql", "--help"][..], &["import", "segments", "--help"], &["replay", "--help"], &["backup", "-h"]]
    {
        for set in [("SKILLSCOPE_TOKEN", SECRET), ("SKILLSCOPE_CONFIG", config.to_str().unwrap())] {
            let output = skillscope(arguments).env(set.0, set.1).output().unwrap();
            let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
            assert!(told.contains("--token-file") && !told.contains(SECRET), "{told}");
        }
    }
    let bad = format!("{SECRET} {SECRET}");
    for arguments in [
        &["sql", "--url", "http://127.0.0.1:1", "--token", &bad, "-c", "select 1"][..],
        &["sql", "--url", &format!("http://user:{SECRET}@127.0.0.1:1"), "-c", "select 1"],
        &["sql", "--url", "http://127.0.0.1:1", "--token", SECRET, "--token-file", "nowhere", "-c", "select 1"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(!stderr(&output).contains(SECRET), "{}", stderr(&output));
    }
}
