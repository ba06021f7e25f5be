//! `skillscope sql`: one statement, a script, and a person at a terminal.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::binary::{Server, run, skillscope, skipped, stderr, succeed};
use crate::foreign;
use crate::process::{PATIENCE, Running, end_of};
use crate::sample;

/// A data directory with the sample in it.
fn directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    sample::import_into(directory.path());
    directory
}

fn path(directory: &TempDir) -> &str {
    directory.path().to_str().unwrap()
}

const COUNT: &str = "select count(*) as n, min(end_time) as first from segments";

#[test]
fn a_statement_is_answered_in_every_format() {
    let directory = directory();
    let ask = |format: &str| succeed(["sql", "--data-dir", path(&directory), "--format", format, "-c", COUNT]);
    assert_eq!(ask("csv"), "n,first\n200,2018-01-17T08:54:04.333Z\n");
    assert_eq!(ask("json"), "[{\"n\":200,\"first\":\"2018-01-17T08:54:04.333Z\"}]");
    assert_eq!(ask("ndjson"), "{\"n\":200,\"first\":\"2018-01-17T08:54:04.333Z\"}\n");
    let table = ask("table");
    assert!(table.contains("| 200 | 2018-01-17T08:54:04.333Z |") && table.ends_with("(1 row)\n"), "{table}");
    let file = directory.path().join("answer.parquet");
    let out = ["--out", file.to_str().unwrap(), "-c", "select * from segments"];
    assert_eq!(succeed(["sql", "--data-dir", path(&directory)].into_iter().chain(out)), "");
    // Whatever is written so can be imported again.
    let copy = TempDir::new().unwrap();
    let imported = succeed(["import", "segments", file.to_str().unwrap(), "--data-dir", path(&copy)]);
    assert_eq!(imported, "accepted 200, duplicates 0, rejected 0\n");
}

#[test]
fn a_script_comes_from_standard_input_and_ends_with_its_first_failure() {
    let directory = directory();
    let script = "\\format csv\nselect ';' as a, -- not here;\n 1 as b;select 2 as c;\n\\x\n\\format table\nselect 3 as d, null as e;\n\
                  \\nonsense\nselect 4 as f;\n";
    let mut child = skillscope(["sql", "--data-dir", path(&directory)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(printed, "a,b\n;,1\nc\n2\na line for each value\n-[ row 1 ]-\nd | 3\ne | NULL\n(1 row)\n");
    assert!(stderr(&output).contains("there is no command \\nonsense"), "{}", stderr(&output));
    let left =
        run(["sql", "--data-dir", path(&directory), "--format", "csv", "-c", "select 1 as a;\n\\q\nselect 2 as b;"]);
    assert_eq!((left.status.code(), left.stdout.as_slice()), (Some(0), &b"a\n1\n"[..]));
}

#[test]
fn a_table_shows_no_more_rows_than_it_may_and_says_so() {
    let directory = directory();
    let ask = |rows: &str| {
        let text = "select conversation_id from segments";
        succeed(["sql", "--data-dir", path(&directory), "--max-rows", rows, "-c", text])
    };
    assert!(ask("7").ends_with("(the first 7 of 200 rows; \\maxrows all, or --max-rows all, shows every one)\n"));
    assert_eq!(ask("7").lines().count(), 7 + 5);
    assert_eq!(ask("all").lines().count(), 200 + 5);
}

#[test]
fn accounts_are_shown_of_a_directory_and_of_a_server_and_not_of_an_archive() {
    let directory = directory();
    let ask = |place: [&str; 2]| succeed(["sql", "--format", "csv", "-c", "\\accounts"].into_iter().chain(place));
    let check = |shown: &str| {
        let (header, row) = shown.trim_end().split_once('\n').unwrap();
        let columns = "account_id,data_until,last_arrival,hot_rows,archived_rows,open_conversations,gaps_given_up,\
                       dead_letters,rejected";
        assert_eq!(header, columns);
        let values: Vec<&str> = row.split(',').collect();
        let [account, until, arrival, hot, archived, rest @ ..] = values.as_slice() else { panic!("{row}") };
        // The latest end of the sample.
        assert_eq!((*account, *until), ("account-1", "2018-01-18T08:51:47.746Z"));
        assert!(arrival.ends_with('Z'), "{arrival}");
        assert_eq!(hot.parse::<u32>().unwrap() + archived.parse::<u32>().unwrap(), 200);
        assert_eq!(rest, ["0", "0", "0", "0"]);
        (*arrival).to_owned()
    };
    let arrival = check(&ask(["--data-dir", path(&directory)]));
    let server = Server::over(directory.path(), &["--now", "2018-01-18T08:51:55.679Z"]);
    assert_eq!(check(&ask(["--url", &server.url])), arrival);
    let archive = run(["sql", "--archive", path(&directory), "-c", "\\accounts"]);
    assert!(stderr(&archive).contains("an archive does not know"), "{}", stderr(&archive));
}

#[test]
fn what_is_wrong_is_told_and_ends_with_1() {
    let directory = directory();
    for (text, part) in
        [("select nope from segments", "nope"), ("selec", "selec"), ("delete from segments", "rows are never changed")]
    {
        let output = run(["sql", "--data-dir", path(&directory), "-c", text]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    let nothing = TempDir::new().unwrap();
    let output = run(["sql", "--data-dir", path(&nothing), "-c", "select 1"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(nothing.path().read_dir().unwrap().count(), 0, "no data directory is made");
    let output = run(["sql", "--url", "http://127.0.0.1:1", "-c", "select 1"]);
    assert!(stderr(&output).contains("cannot reach http://127.0.0.1:1"), "{}", stderr(&output));
}

/// Every file of a directory with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            // A socket, which a server that was killed leaves, has no bytes.
            let bytes = if path.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            all.insert(path.display().to_string(), bytes);
        }
    }
    all
}

#[test]
fn a_directory_is_not_changed_by_looking_at_it() {
    let directory = directory();
    // Rows that are not archived yet, and a file that the next start of a server would set aside.
    let server = Server::over(directory.path(), &[]);
    let line = r#"{"conversation_id":"c-new","segment_index":0,"skill_id":9,"start_time":1,"end_time":2,"start_reason":"new_conversation","end_reason":"closed_by_consumer","user_type":"none","outcome":"abandoned","abandoned_in_queue":true,"agent_messages":0,"consumer_messages":1}"#;
    assert_eq!(server.post("/v1/accounts/account-1/segments", "application/x-ndjson", line.as_bytes()).0, 200);
    server.signal("KILL");
    drop(server);
    fs::write(directory.path().join("archive/account=account-1/stray.parquet"), "no Parquet").unwrap();
    fs::write(directory.path().join("staging/half-written"), "half").unwrap();
    let before = contents(directory.path());
    let answer =
        succeed(["sql", "--data-dir", path(&directory), "--format", "csv", "-c", "select count(*) as n from segments"]);
    assert_eq!(answer, "n\n201\n");
    assert!(contents(directory.path()) == before);
}

#[test]
fn where_a_server_has_the_directory_open_it_is_asked() {
    let directory = directory();
    let server = Server::over(directory.path(), &[]);
    let ask = |account: &str| {
        let text = "select count(*) as n, min(door) as door from segments, system.queries";
        succeed(["sql", "--data-dir", path(&directory), "--account", account, "--format", "csv", "-c", text])
    };
    assert_eq!(ask("account-1"), "n,door\n200,http\n");
    assert_eq!(ask("nobody"), "n,door\n0,\n");
    let by_url = succeed(["sql", "--url", &server.url, "--format", "csv", "-c", COUNT]);
    assert_eq!(by_url, "n,first\n200,2018-01-17T08:54:04.333Z\n");
    // An answer that fails on its way tells why, too.
    let long = "select value, repeat('x', 88) as x, 1 / (200000 - value) as n from generate_series(1, 300000)";
    let output = run(["sql", "--url", &server.url, "--format", "csv", "-c", long]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("Divide by zero"), "{}", stderr(&output));
    let output = run(["sql", "--url", &server.url, "--account", "no/account", "-c", "select 1"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let output = run(["sql", "--url", &server.url, "-c", "select nope from segments"]);
    assert!(stderr(&output).contains("No field named nope"), "{}", stderr(&output));
}

/// A console in a terminal of its own, as `script` makes it.
struct Terminal {
    process: Running,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    /// `None`, visibly, where `script` is missing, is another one, or is given no terminal.
    fn open(test: &str, arguments: &[&str], home: &Path) -> Option<Self> {
        Self::open_with(test, arguments, home, &[])
    }

    /// The same with some variables of the environment.
    fn open_with(test: &str, arguments: &[&str], home: &Path, variables: &[(&str, &str)]) -> Option<Self> {
        let script = |words: &str| {
            let mut command = foreign::command("script");
            command.args(["-q", "-e", "-c", words, "/dev/null"]);
            command
        };
        if !script("true").output().is_ok_and(|output| output.status.success()) {
            skipped(test, "script makes no terminal here");
            return None;
        }
        let command = skillscope(arguments);
        let words: Vec<String> = std::iter::once(command.get_program().to_owned())
            .chain(command.get_args().map(ToOwned::to_owned))
            .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''")))
            .collect();
        let mut command = script(&words.join(" "));
        command.env("XDG_STATE_HOME", home).env("TERM", "xterm").env("PAGER", "cat");
        command.envs(variables.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (shown, mut out) = (Arc::new(Mutex::new(String::new())), child.stdout.take().unwrap());
        let sink = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = out.read(&mut bytes) {
                sink.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        });
        Some(Self { process: Running(child), shown })
    }

    fn type_keys(&mut self, keys: &str) {
        let stdin = self.process.0.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Waits until something is shown, after what was waited for before.
    fn expect(&self, part: &str) {
        let start = Instant::now();
        loop {
            let mut shown = self.shown.lock().unwrap();
            if let Some(place) = shown.find(part) {
                shown.drain(..place + part.len());
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{part:?} is not shown: {shown}");
            drop(shown);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_person_types_over_several_lines_completes_cancels_and_leaves() {
    let test = "a_person_types_over_several_lines_completes_cancels_and_leaves";
    let (directory, home) = (directory(), TempDir::new().unwrap());
    let arguments = ["sql", "--data-dir", path(&directory), "--account", "account-1"];
    let Some(mut terminal) = Terminal::open(test, &arguments, home.path()) else { return };
    terminal.expect("account-1> ");
    // Two lines, with the names completed.
    terminal.type_keys("select sum(total) as n\r");
    terminal.expect("account-1-> ");
    terminal.type_keys("from metrics_by_h\t;\r");
    terminal.expect("metrics_by_hour");
    terminal.expect("200");
    terminal.expect("(1 row)");
    terminal.expect("account-1> ");
    // Words have colours.
    terminal.type_keys("select 'text' as word;\r");
    terminal.expect("\u{1b}[32m'text'\u{1b}[0m");
    terminal.expect("account-1> ");
    // A statement that would not end shows that it runs; Ctrl-C ends it, and not the console.
    terminal.type_keys("select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value <> b.value + 1;\r");
    terminal.expect("Ctrl-C ends it");
    terminal.type_keys("\x03");
    terminal.expect("the statement was ended");
    terminal.expect("account-1> ");
    terminal.type_keys("\\d\r");
    terminal.expect("metrics_by_hour");
    terminal.expect("account-1> ");
    terminal.type_keys("\\q\r");
    end_of(&mut terminal.process.0);
    // What was typed is there the next time.
    let history = fs::read_to_string(home.path().join("skillscope/sql_history")).unwrap();
    assert!(history.contains("'text' as word"), "{history}");
}

#[test]
fn a_person_sees_whether_a_statement_goes_on_and_inside_of_what() {
    let test = "a_person_sees_whether_a_statement_goes_on_and_inside_of_what";
    let (directory, home) = (directory(), TempDir::new().unwrap());
    let arguments = ["sql", "--data-dir", path(&directory), "--account", "account-1"];
    let Some(mut terminal) = Terminal::open(test, &arguments, home.path()) else { return };
    terminal.expect("account-1> ");
    for (keys, prompt) in [
        ("select\r", "account-1-> "),
        ("'a;\r", "account-1'> "),
        ("b', (\r", "account-1(> "),
        ("1) as \"c\r", "account-1\"> "),
        ("d\", /* ;\r", "account-1*> "),
        ("*/ $x$ ;\r", "account-1$> "),
        ("$x$\r", "account-1-> "),
    ] {
        terminal.type_keys(keys);
        terminal.expect(prompt);
    }
    // Ctrl-C forgets it.
    terminal.type_keys("\x03");
    terminal.expect("account-1> ");
    // Columns of a table by its alias, functions, and commands.
    terminal.type_keys("select max(s.consumer_m\t) as most from segments s;\r");
    terminal.expect("(1 row)");
    terminal.expect("account-1> ");
    terminal.type_keys("select count(*) as n\r");
    terminal.expect("account-1-> ");
    terminal.type_keys("from segments s where s.user_t\t = 'bot' and date_t\t'day', end_time) > '2018-01-01';\r");
    terminal.expect("date_trunc(");
    terminal.expect("(1 row)");
    terminal.expect("account-1> ");
    terminal.type_keys("\\tim\t\r");
    terminal.expect("timing is on");
    // Another account, and all of them.
    terminal.type_keys("\\c nobody\r");
    terminal.expect("nobody> ");
    terminal.type_keys("\\c\r");
    terminal.expect("skillscope> ");
    terminal.type_keys("exit\r");
    end_of(&mut terminal.process.0);
    // A statement of two lines is one entry of the history.
    let history = fs::read_to_string(home.path().join("skillscope/sql_history")).unwrap();
    assert!(history.lines().any(|line| line.contains("as n\\nfrom segments s")), "{history}");
}

#[test]
fn a_person_writes_a_statement_in_an_editor_and_watches_one() {
    let test = "a_person_writes_a_statement_in_an_editor_and_watches_one";
    let (directory, home) = (directory(), TempDir::new().unwrap());
    let editor = home.path().join("editor");
    fs::write(&editor, "#!/bin/sh\necho \"select 41 + 1 as edited;\" > \"$2\"\n").unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&editor).status().unwrap();
    let words = format!("{} --flag", editor.display());
    let arguments = ["sql", "--data-dir", path(&directory)];
    let Some(mut terminal) = Terminal::open_with(test, &arguments, home.path(), &[("VISUAL", &words)]) else { return };
    terminal.expect("skillscope> ");
    terminal.type_keys("\\e\r");
    terminal.expect("| edited |");
    terminal.expect("| 42     |");
    terminal.expect("skillscope> ");
    terminal.type_keys("select 'seen' as again \\watch 0.01\r");
    terminal.expect("seen");
    terminal.expect("seen");
    terminal.type_keys("\x03");
    terminal.expect("skillscope> ");
    terminal.type_keys("quit\r");
    end_of(&mut terminal.process.0);
}

/// What a console prints as CSV for a script on standard input.
fn scripted(directory: &TempDir, script: &str) -> std::process::Output {
    let arguments = ["sql", "--data-dir", path(directory), "--format", "csv"];
    let mut child =
        skillscope(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn prints(directory: &TempDir, script: &str, expected: &str) {
    let output = scripted(directory, script);
    assert!(output.status.success(), "{script}: {}", stderr(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{script}");
}

#[test]
fn values_have_names_in_statements_and_commands() {
    let directory = directory();
    prints(
        &directory,
        "\\set skill 1\n\\set word 'it''s'\n\\set column \"a b\"\nselect count(*) as n from segments where skill_id = :skill;\n\
         select :'word' as :\"column\", ':skill' as text, :skill::text as cast, 1 as \":skill\"; -- :skill\n",
        "n\n67\na b,text,cast,:skill\nit's,:skill,1,1\n",
    );
    // A value may be a part of a statement, or several.
    prints(&directory, "\\set two 'select 1 as a; select 2'\n:two as b;\n", "a\n1\nb\n2\n");
    prints(&directory, "\\set b 2\n\\set a x :b\n\\set\n\\unset a\n\\set\n", "a = x2\nb = 2\nb = 2\n");
    let value =
        ["sql", "--data-dir", path(&directory), "--format", "csv", "-v", "n=7", "-c", "select :n as n, :m as m"];
    assert!(stderr(&run(value)).contains(":m"), "what names no value stays");
    assert_eq!(succeed(value.map(|word| if word.starts_with("select") { "select :n as n" } else { word })), "n\n7\n");
    let wrong = ["sql", "--data-dir", path(&directory), "-v", "a b=1", "-c", "select 1"];
    assert_eq!(run(wrong).status.code(), Some(2));
}

#[test]
fn a_file_is_run_up_to_its_first_failure_which_is_told_with_its_place() {
    let (directory, folder) = (directory(), TempDir::new().unwrap());
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let inner = file("parts/inner.sql", "select 2 as b;\n\\ir other.sql\n");
    file("parts/other.sql", "select 3 as c\n");
    let outer = file("outer.sql", &format!("select 1 as a;\n\\i {inner}\nselect 4 as d;\n"));
    let ask = |file: &str| run(["sql", "--data-dir", path(&directory), "--format", "csv", "-f", file]);
    let output = ask(&outer);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a\n1\nb\n2\nc\n3\nd\n4\n");
    // A statement is told by its first line, also in files within files.
    let wrong = file("wrong.sql", "select 1 as a;\n\n-- the next one\nselect\n  nope\nfrom segments;\nselect 2;\n");
    let output = ask(&wrong);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b"a\n1\n"[..]));
    assert!(stderr(&output).contains(&format!("{wrong}:4: ")), "{}", stderr(&output));
    let around = file("around.sql", &format!("\n\\i {wrong}\nselect 9;\n"));
    let output = ask(&around);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&format!("{around}:2: {wrong}:4: ")), "{}", stderr(&output));
    let output = scripted(&directory, "select 1 as a;\nselect nope from segments;\n");
    assert!(stderr(&output).contains("standard input:2: "), "{}", stderr(&output));
    // A file that runs itself ends.
    let itself = folder.path().join("itself.sql");
    fs::write(&itself, format!("\\i {}\n", itself.display())).unwrap();
    let output = ask(itself.to_str().unwrap());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("16 deep at most"), "{}", stderr(&output));
    let output = ask("/no/such/file.sql");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot read /no/such/file.sql"), "{}", stderr(&output));
    // To leave a file is to leave the console.
    let leaving = file("leaving.sql", "select 1 as a;\nquit\nselect 2 as b;\n");
    assert_eq!(String::from_utf8_lossy(&ask(&leaving).stdout), "a\n1\n");
}

#[test]
fn a_statement_is_run_again_shown_and_forgotten() {
    let directory = directory();
    prints(&directory, "select 1 as a;\n\\g\n\\p\n", "a\n1\na\n1\nselect 1 as a\n");
    prints(&directory, "select 1 as a \\gx\n", "a\n1\n");
    prints(&directory, "select 1\n\\r\nselect 2 as b;\n", "b\n2\n");
    prints(&directory, "select 1\n\\echo in 'the  middle'\nas a;\n", "in the  middle\na\n1\n");
    let output = scripted(&directory, "select 1 as a \\watch 0 c=3\n");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.matches("a\n1\n").count(), 3, "{printed}");
    assert!(stderr(&scripted(&directory, "\\watch\n")).contains("no statement to watch"));
    assert!(stderr(&scripted(&directory, "\\e\n")).contains("needs a person"));
}

#[test]
fn rows_are_copied_to_files_in_a_named_format() {
    let (directory, folder) = (directory(), TempDir::new().unwrap());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let script = format!(
        "\\copy (select 1 as a, ';)' as b) to '{}'\n\\copy (select 1 as a) to '{}' csv header\n\\copy segments to '{}'\n\
         \\copy (select 2 as c) to stdout with (format ndjson)\nselect 3 as d;\n",
        file("a b.csv"),
        file("plain"),
        file("all.parquet"),
    );
    prints(&directory, &script, "{\"c\":2}\nd\n3\n");
    assert_eq!(fs::read_to_string(file("a b.csv")).unwrap(), "a,b\n1,;)\n");
    assert_eq!(fs::read_to_string(file("plain")).unwrap(), "a\n1\n");
    let copy = TempDir::new().unwrap();
    let imported = succeed(["import", "segments", &file("all.parquet"), "--data-dir", path(&copy)]);
    assert_eq!(imported, "accepted 200, duplicates 0, rejected 0\n");
    for (command, part) in [
        ("\\copy segments from 'x'", "skillscope import"),
        ("\\copy segments to x xml", "no format"),
        ("\\copy (select 1", "parenthesis"),
        ("\\copy segments to '/no/such/folder/x.csv'", "cannot write"),
    ] {
        let output = scripted(&directory, command);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(stderr(&output).contains(part), "{command}: {}", stderr(&output));
    }
}

#[test]
fn tables_views_and_functions_are_listed_wherever_statements_run() {
    let directory = directory();
    let server = Server::over(directory.path(), &[]);
    let sources = [["--url", &server.url], ["--data-dir", path(&directory)], ["--archive", path(&directory)]];
    for source in sources {
        let ask = |command: &str| {
            let script = format!(
                "{command}\n\\c nobody\nselect count(*) as n from segments;\n\\c *\nselect count(*) as n from segments;"
            );
            succeed(["sql"].into_iter().chain(source).chain(["--format", "csv", "-c", &script]))
        };
        let tables = ask("\\dt");
        assert!(tables.contains("public,segments\n"), "{source:?}: {tables}");
        assert!(tables.ends_with("n\n0\nn\n200\n"), "{source:?}: {tables}");
        assert!(!tables.contains("information_schema"), "{tables}");
        let functions = ask("\\df");
        assert!(functions.contains("to_char("), "{functions}");
        assert_eq!(functions.contains("kill_query"), source[0] != "--archive", "{functions}");
        assert!(ask("\\df date_b*").contains("\ndate_bin,"), "{source:?}");
        assert!(ask("\\d segments").contains("outcome,"), "{source:?}");
    }
    let views = succeed(["sql", "--url", &server.url, "--format", "csv", "-c", "\\dv metrics*hour"]);
    assert_eq!(views, "table_schema,table_name\npublic,metrics_by_hour\n");
}

#[test]
fn tables_are_drawn_with_lines_or_as_markdown_and_wide_letters_take_two_columns() {
    let directory = directory();
    let ask =
        |format: &str, text: &str| succeed(["sql", "--data-dir", path(&directory), "--format", format, "-c", text]);
    let rows = "select * from (values (1, '日本'), (20, 'a|b')) t(n, word) order by n";
    assert_eq!(ask("markdown", rows), "|   n | word |\n| --: | ---- |\n|   1 | 日本 |\n|  20 | a\\|b |\n");
    assert_eq!(
        ask("box", rows),
        "┌────┬──────┐\n│  n │ word │\n├────┼──────┤\n│  1 │ 日本 │\n│ 20 │ a|b  │\n└────┴──────┘\n(2 rows)\n"
    );
    assert_eq!(
        ask("table", rows),
        "+----+------+\n| n  | word |\n+----+------+\n| 1  | 日本 |\n| 20 | a|b  |\n+----+------+\n(2 rows)\n"
    );
    // What acts on a terminal is shown and does not act.
    assert!(ask("table", "select E'\\x1b[31m' as x, 1 as y").contains("| \\u{1b}[31m | 1 |"));
    let output = run(["sql", "--data-dir", path(&directory), "-c", "\\format html"]);
    assert!(stderr(&output).contains("table, box, markdown, csv, json, ndjson, parquet"), "{}", stderr(&output));
}
