//! Tokens, from the command line to the clients that show them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, run, serve, stderr, succeed};
use crate::foreign;
use crate::python::Python;
use crate::sample;

const REPORT: &str = "/operations/api/account/account-1/msgskillsegments?timeframe=60&v=1";

/// A data directory, and what its owner does with tokens.
pub(crate) struct Owner(TempDir);

impl Owner {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn directory(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn token(&self, arguments: &[&str]) -> Output {
        run(["token"].iter().chain(arguments).chain(&["--data-dir", self.directory()]))
    }

    /// The keys and secrets of a new token of OAuth 1.0, by their names.
    pub(crate) fn add_oauth1(&self, name: &str, account: &str, scopes: &str) -> Value {
        let output = self.token(&["add", "--name", name, "--account", account, "--scopes", scopes, "--oauth1"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let printed = String::from_utf8(output.stdout).unwrap();
        printed
            .lines()
            .map(|line| line.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect()
    }

    pub(crate) fn add(&self, name: &str, account: &str, scopes: &str) -> String {
        let output = self.token(&["add", "--name", name, "--account", account, "--scopes", scopes]);
        assert!(output.status.success(), "{}", stderr(&output));
        let printed = String::from_utf8(output.stdout).unwrap();
        let token = printed.strip_suffix('\n').expect("the token stands alone on its line");
        assert!(!token.contains(char::is_whitespace), "{printed:?}");
        token.to_owned()
    }

    fn revoke(&self, name: &str) {
        let output = self.token(&["revoke", name]);
        assert!(output.status.success(), "{}", stderr(&output));
    }

    /// The lines of the list, without its header.
    fn list(&self) -> Vec<String> {
        let output = self.token(&["list"]);
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap().lines().skip(1).map(str::to_owned).collect()
    }
}

#[test]
fn tokens_take_effect_at_once_in_a_running_server_and_after_its_restart() {
    let owner = Owner::new();
    let server = Server::over(owner.0.path(), &[]);
    let status = |server: &Server, token: &str| server.get_with_token(REPORT, token).0;
    assert_eq!(server.get(REPORT).0, 200, "nobody is asked yet");
    let reporter = owner.add("reporter", "account-1", "report");
    let analyst = owner.add("analyst", "*", "sql");
    let asks = |server: &Server| {
        assert_eq!(server.get(REPORT).0, 401);
        assert_eq!((status(server, &reporter), status(server, &analyst)), (200, 403));
    };
    asks(&server);
    drop(server);
    let server = Server::over(owner.0.path(), &[]);
    asks(&server);
    owner.revoke("reporter");
    assert_eq!(status(&server, &reporter), 401);
    owner.revoke("analyst");
    assert_eq!(server.get(REPORT).0, 401, "without a token left, the doors stay shut");
    drop(server);
    assert_eq!(Server::over(owner.0.path(), &[]).get(REPORT).0, 401);
}

#[test]
fn a_list_tells_who_may_do_what_until_when_and_never_a_secret() {
    let owner = Owner::new();
    let token = owner.add("reporter", "acme", "report,ingest");
    let short = ["add", "--name", "short", "--account", "*", "--scopes", "sql", "--expires", "1h", "--oauth1"];
    let printed = String::from_utf8(owner.token(&short).stdout).unwrap();
    let values: Vec<(&str, &str)> = printed.lines().map(|line| line.split_once('=').unwrap()).collect();
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["consumer_key", "consumer_secret", "token", "token_secret"]);
    let server = Server::over(owner.0.path(), &[]);
    let [reporter, short] = <[String; 2]>::try_from(owner.list()).unwrap();
    assert_eq!(
        reporter.split_whitespace().collect::<Vec<_>>(),
        ["reporter", "acme", "report,ingest", "bearer", "never", "never"]
    );
    assert!(short.starts_with("short") && short.contains(" * ") && short.contains("oauth1"), "{short}");
    server.get_with_token("/operations/api/account/acme/msgskillsegments?timeframe=60&v=1", &token);
    let used = owner.list();
    assert!(used[0].ends_with('Z') && used[0].contains(" 20"), "{used:?}");
    for secret in values.iter().map(|(_, value)| *value).chain([token.as_str()]) {
        assert!(!used.concat().contains(secret));
    }
}

#[test]
fn what_is_wrong_with_a_token_is_told() {
    let owner = Owner::new();
    owner.add("taken", "acme", "sql");
    for (arguments, code, reason) in [
        (vec!["add", "--name", "taken", "--account", "acme", "--scopes", "sql"], 1, "already"),
        (vec!["add", "--name", "a:b", "--account", "acme", "--scopes", "sql"], 1, "colon"),
        (vec!["add", "--name", "a", "--account", "a/b", "--scopes", "sql"], 2, "* for all accounts"),
        (vec!["add", "--name", "a", "--account", "acme", "--scopes", "everything"], 2, "report, ingest, sql and admin"),
        (vec!["add", "--name", "a", "--account", "acme", "--scopes", "sql", "--expires", "soon"], 2, "such as 90d"),
        (vec!["revoke", "nobody"], 1, "there is no token"),
    ] {
        let output = owner.token(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(stderr(&output).contains(reason), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(owner.list().len(), 1);
    let elsewhere = TempDir::new().unwrap();
    std::fs::write(elsewhere.path().join("letter.txt"), "dear").unwrap();
    let folder = elsewhere.path().to_str().unwrap();
    let output = run(["token", "add", "--name", "a", "--account", "*", "--scopes", "sql", "--data-dir", folder]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(elsewhere.path().read_dir().unwrap().count(), 1, "nothing is written into somebody's folder");
}

#[test]
fn what_is_stored_is_its_owners_alone_and_no_part_of_a_backup() {
    let owner = Owner::new();
    let token = owner.add("reporter", "*", "report,admin");
    let server = Server::over(owner.0.path(), &[]);
    owner.list();
    let files = ["tokens", "tokens.lock", "control"].map(|name| owner.0.path().join(name));
    for file in &files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    assert!(!std::fs::read_to_string(&files[0]).unwrap().contains(&token));
    drop(server);
    let copy = TempDir::new().unwrap();
    let to = copy.path().join("copy");
    succeed(["backup", "--data-dir", owner.directory(), "--to", to.to_str().unwrap()]);
    let copied: Vec<_> = to.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(copied.iter().all(|name| !name.to_string_lossy().contains("token") && name != "control"), "{copied:?}");
}

#[test]
fn a_directory_whose_path_is_too_long_for_a_socket_is_reached_all_the_same() {
    let above = TempDir::new().unwrap();
    let deep = above.path().join("d".repeat(120));
    let directory = deep.to_str().unwrap();
    let server = Server::over(&deep, &[]);
    let added =
        succeed(["token", "add", "--name", "a", "--account", "*", "--scopes", "report", "--data-dir", directory]);
    assert_eq!(server.get(REPORT).0, 401);
    assert_eq!(server.get_with_token(REPORT, added.trim_end()).0, 200);
}

/// A server over the sample with every door, and tokens for SQL: of the sample's account, and of all.
struct Doors {
    server: Server,
    postgresql: String,
    flight: String,
    own: String,
    other: String,
    all: String,
    owner: Owner,
}

impl Doors {
    fn open() -> Self {
        let owner = Owner::new();
        sample::import_into(owner.0.path());
        let (own, other) = (owner.add("own", "account-1", "sql"), owner.add("other", "other", "sql"));
        let all = owner.add("all", "*", "sql");
        let options = ["--data-dir", owner.directory(), "--now", "2018-01-18T08:51:55.679Z"];
        let ports = ["--pg-listen", "127.0.0.1:0", "--flight-listen", "127.0.0.1:0"];
        let mut server = Server::spawn(serve().args(options).args(ports));
        let postgresql = server.line().strip_prefix("postgresql://127.0.0.1:").unwrap().to_owned();
        let flight = server.line();
        Self { server, postgresql, flight, own, other, all, owner }
    }
}

#[test]
fn psql_enters_with_a_token_as_its_password() {
    if !foreign::is_here("psql_enters_with_a_token_as_its_password", "psql", "postgresql-client") {
        return;
    }
    let doors = Doors::open();
    let ask = |user: &str, password: &str, database: &str| {
        let mut psql = foreign::command("psql");
        psql.args(["-X", "-w", "-h", "127.0.0.1", "-p", &doors.postgresql, "-U", user, "-d", database, "-At"]);
        let output = psql.args(["-c", "select count(*) from segments"]).env("PGPASSWORD", password).output().unwrap();
        if output.status.success() { Ok(String::from_utf8(output.stdout).unwrap()) } else { Err(stderr(&output)) }
    };
    assert_eq!(ask("own", &doors.own, "account-1"), Ok("200\n".to_owned()));
    assert_eq!(ask("all", &doors.all, "skillscope"), Ok("200\n".to_owned()));
    assert_eq!(ask("other", &doors.other, "other"), Ok("0\n".to_owned()));
    for (user, password, database, reason) in [
        ("own", &doors.other, "account-1", "password authentication failed"),
        ("nobody", &doors.own, "account-1", "password authentication failed"),
        ("other", &doors.other, "account-1", "only the account other"),
        ("own", &doors.own, "skillscope", "only the account account-1"),
    ] {
        let refused = ask(user, password, database).unwrap_err();
        assert!(refused.contains(reason), "{user} at {database}: {refused}");
    }
}

#[test]
fn adbc_and_psycopg_enter_with_tokens_and_see_their_own_account() {
    let test = "adbc_and_psycopg_enter_with_tokens_and_see_their_own_account";
    let Some(python) = Python::with_libraries(test) else { return };
    let doors = Doors::open();
    let script = r#"
import json, sys, warnings; warnings.simplefilter("ignore")
import adbc_driver_flightsql.dbapi as flight, adbc_driver_postgresql.dbapi as postgresql, psycopg
import pyarrow.flight
url, port, tokens = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
COUNT = "select count(*) from segments"

def outcome(ask):
    try:
        return ask()
    except Exception as error:
        return str(error)

def adbc(connect):
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(COUNT)
        return cursor.fetchall()[0][0]

def over_flight(**options):
    return outcome(lambda: adbc(lambda: flight.connect(url, db_kwargs={key.replace("__", "."): value for key, value in options.items()})))

def over_postgresql(name, token, database):
    address = f"postgresql://{name}:{token}@127.0.0.1:{port}/{database}"
    def ask():
        with psycopg.connect(address) as connection:
            return connection.execute(COUNT).fetchall()[0][0]
    return [outcome(lambda: adbc(lambda: postgresql.connect(address))), outcome(ask)]

def handshake(name, token):
    client = pyarrow.flight.connect(url.replace("grpc://", "grpc+tcp://"))
    options = pyarrow.flight.FlightCallOptions(headers=[client.authenticate_basic_token(name, token)])
    return len(list(client.list_actions(options)))

bearer = "adbc__flight__sql__authorization_header"
account = "adbc__flight__sql__rpc__call_header__account"
answers = {
    "bearer": {name: over_flight(**{bearer: f"Bearer {token}"}) for name, token in tokens.items()},
    "password": {name: over_flight(username=name, password=token) for name, token in tokens.items()},
    "without": over_flight(),
    "wrong": over_flight(**{bearer: "Bearer skt_wrong"}),
    "wrong password": over_flight(username="own", password=tokens["all"]),
    "narrowed": over_flight(**{bearer: f"Bearer {tokens['all']}", account: "other"}),
    "another": over_flight(**{bearer: f"Bearer {tokens['other']}", account: "account-1"}),
    "postgresql": {name: over_postgresql(name, token, {"own": "account-1", "all": "skillscope"}.get(name, name)) for name, token in tokens.items()},
    "handshake": handshake("own", tokens["own"]) > 0,
    "no handshake": outcome(lambda: handshake("own", "wrong")),
}
print(json.dumps(answers))
"#;
    let tokens = json!({ "own": doors.own, "other": doors.other, "all": doors.all }).to_string();
    let printed = python.run(script, &[&doors.flight, &doors.postgresql, &tokens]);
    let answers: Value = serde_json::from_str(&printed).unwrap();
    let counts = json!({ "own": 200, "other": 0, "all": 200 });
    assert_eq!(answers["bearer"], counts);
    assert_eq!(answers["password"], counts);
    assert_eq!(answers["postgresql"], json!({ "own": [200, 200], "other": [0, 0], "all": [200, 200] }));
    assert_eq!(answers["narrowed"], 0);
    assert_eq!(answers["handshake"], true);
    for (asked, reason) in [
        ("without", "a token is asked for"),
        ("wrong", "the token is not known"),
        ("wrong password", "the token is not known"),
        ("no handshake", "the token is not known"),
        ("another", "only the account other"),
    ] {
        assert!(answers[asked].as_str().is_some_and(|text| text.contains(reason)), "{asked}: {answers}");
    }
}
#[test]
fn the_owner_asks_a_server_that_asks_for_tokens() {
    let doors = Doors::open();
    let directory = doors.owner.directory();
    let printed = succeed(["sql", "--data-dir", directory, "-c", "select count(*) as n from segments"]);
    assert!(printed.contains("200"), "{printed}");
    let copy = TempDir::new().unwrap();
    let to = copy.path().join("copy");
    succeed(["backup", "--data-dir", directory, "--to", to.to_str().unwrap()]);
    assert_eq!(doors.server.get(REPORT).0, 401);
}
