//! A token of one account tells nothing of another one: whatever its holder asks at any door, the answers are the same
//! whether the other account exists and is busy, or has never been there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::binary::{Server, serve, stderr, succeed};
use crate::process::{Running, until};
use crate::python::Python;
use crate::tokens::Owner;

const NOW: &str = "2018-01-18T08:51:55.679Z";

/// Writes the segments of one of two accounts into a file.
fn segments_of(account: &str, folder: &Path) -> String {
    let both = folder.join("both.ndjson");
    if !both.exists() {
        let options =
            ["--rows", "400", "--accounts", "2", "--skills", "6", "--hours", "60", "--end", NOW, "--seed", "1"];
        succeed(["generate", "segments", "--out", both.to_str().unwrap()].into_iter().chain(options));
    }
    let text = fs::read_to_string(both).unwrap();
    let of_account = |line: &&str| serde_json::from_str::<Value>(line).unwrap()["account_id"] == account;
    let lines: Vec<&str> = text.lines().filter(of_account).collect();
    assert!(lines.len() > 100, "{account} has {} segments", lines.len());
    let path = folder.join(format!("{account}.ndjson"));
    fs::write(&path, lines.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A server over account-1, and perhaps account-2, with tokens for both.
struct House {
    server: Server,
    postgresql: String,
    flight: String,
    /// Tokens by their names: `own` and `own-operator` of account-1, `other` of account-2, and `all`.
    tokens: Value,
    _owner: Owner,
}

impl House {
    fn with(accounts: &[&str]) -> Self {
        let (owner, folder) = (Owner::new(), TempDir::new().unwrap());
        for account in accounts {
            let file = segments_of(account, folder.path());
            succeed(["import", "segments", &file, "--data-dir", owner.directory()]);
            let open = folder.path().join("open.ndjson");
            let of = json!({"account_id": account, "conversation_id": format!("open in {account}"), "sequence": 0,
                "time": "2018-01-18T08:50:00Z", "type": "conversation_started", "skill_id": 1});
            fs::write(&open, of.to_string()).unwrap();
            succeed(["import", "events", open.to_str().unwrap(), "--data-dir", owner.directory()]);
            if *account != "account-1" {
                let names = folder.path().join("names.csv");
                fs::write(&names, "skill_id,name\n1,Secret\n").unwrap();
                let options = ["--account", account, "--data-dir", owner.directory()];
                succeed(["import", "table", "skills", names.to_str().unwrap()].into_iter().chain(options));
                let view = ["-c", "create view secret_view as select name from skills"];
                succeed(["sql"].into_iter().chain(options).chain(view));
            }
        }
        let tokens = json!({
            "own": owner.add("own", "account-1", "report,ingest,sql"),
            "own-operator": owner.add("own-operator", "account-1", "report,ingest,sql,admin"),
            "other": owner.add("other", "account-2", "report,ingest,sql"),
            "all": owner.add("all", "*", "sql,admin"),
        });
        let ports = ["--pg-listen", "127.0.0.1:0", "--flight-listen", "127.0.0.1:0"];
        let patience = ["--sql-stall-limit", "600", "--answer-timeout", "600"];
        let options = ["--data-dir", owner.directory(), "--now", NOW];
        let mut server = Server::spawn(serve().args(options).args(patience).args(ports));
        let postgresql = server.line().strip_prefix("postgresql://127.0.0.1:").unwrap().to_owned();
        let flight = server.line();
        Self { server, postgresql, flight, tokens, _owner: owner }
    }

    fn arguments(&self) -> [&str; 3] {
        [&self.server.url, &self.postgresql, &self.flight]
    }

    /// What is answered to whoever has the token `name`, by door and question. `victims` are the numbers of others'
    /// statements.
    fn answers(&self, python: &Python, name: &str, victims: &[Value], process: &str) -> Map<String, Value> {
        let token = self.tokens[name].as_str().unwrap();
        let victims = Value::from(victims).to_string();
        let arguments = self.arguments();
        let arguments = arguments.iter().copied().chain([name, token, &victims, process]);
        let output = python.command(ASK).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The statements that everybody runs, as an operator sees them.
    fn statements(&self, python: &Python) -> Vec<Value> {
        let script = r#"
import sys, requests
query = "select id, account_id, state, door from system.queries where query like '%generate_series%' and account_id is not null order by door"
print(requests.post(sys.argv[1] + "/v1/sql", json={"query": query}, headers={"Authorization": "Bearer " + sys.argv[2]}).text)
"#;
        let listed = python.run(script, &[&self.server.url, self.tokens["all"].as_str().unwrap()]);
        serde_json::from_str(&listed).unwrap()
    }
}

/// Is busy in another account at every door, and says so.
const BE_BUSY: &str = r#"
import sys, threading, requests, psycopg
import adbc_driver_flightsql.dbapi as flight
url, port, grpc, token = sys.argv[1:5]
bearer = {"Authorization": f"Bearer {token}"}
# Rows that nobody reads: a statement that is there for long, and leaves the machine to others.
LONG = "select repeat('x', 1000) as x from generate_series(1, 1000000000), segments"
account = f"{url}/v1/accounts/account-2"
started = {"conversation_id": "open-b", "sequence": 0, "time": 1516265500000, "type": "conversation_started", "skill_id": 4711}
assert requests.post(f"{account}/events", json=started, headers={**bearer, "Content-Type": "application/x-ndjson"}).json()["accepted"] == 1
unread = requests.post(f"{url}/v1/sql", json={"query": LONG}, headers=bearer, stream=True)
connection = psycopg.connect(f"postgresql://other:{token}@127.0.0.1:{port}/account-2")
connection.pgconn.send_query(LONG.encode())
cursor = flight.connect(grpc, db_kwargs={"adbc.flight.sql.authorization_header": f"Bearer {token}"}).cursor()
threading.Thread(target=lambda: cursor.execute("select count(*) from generate_series(1, 1000000000) a, segments"), daemon=True).start()
print(connection.info.backend_pid, flush=True)
threading.Event().wait()
"#;

/// Asks everything, and prints the answers without what differs from one moment to the next.
const ASK: &str = r#"
import json, re, socket, struct, sys, warnings
warnings.simplefilter("ignore")
import requests, psycopg, pyarrow.flight
import adbc_driver_flightsql.dbapi as flight
url, port, grpc, name, token, victims, process = sys.argv[1:8]
victims = json.loads(victims)
bearer = {"Authorization": f"Bearer {token}"}
COLUMNS = "account_id, first_hour, last_hour, first_end_time, last_end_time, rows, bytes, in_memory, state"
STATEMENTS = [
    "select * from segments order by conversation_id, segment_index",
    "select account_id, count(*) as n from segments group by 1 order by 1",
    "select count(*) as n from segments where account_id = 'account-2'",
    "select count(*) as n from segments where account_id <> 'account-1' or account_id like '%2'",
    "select count(*) as n from segments where account_id in ('account-1', 'account-2') or skill_id = 4711",
    "select max(skill_id) as a, min(end_time) as b, max(end_time) as c, count(distinct conversation_id) as d from segments",
    "select sum(1 / (skill_id - skill_id)) as n from segments where account_id = 'account-2'",
    "select sum(cast(conversation_id as bigint)) as n from segments where account_id = 'account-2'",
    "select max((select count(*) from segments s where s.account_id <> t.account_id)) as n from segments t",
    "with o as (select * from segments where account_id = 'account-2') select count(*) as n from o full join segments using (conversation_id)",
    "select * from open_conversations order by conversation_id",
    "select count(*) as n, max(account_id) as a from open_conversations where account_id <> 'account-1' or skill_id <> 1 / (skill_id - 4711)",
    "explain analyze select max(start_time) from open_conversations where skill_id > 0",
    "select * from skill_report('account-1', now(), 60) order by 1, 2, 3, 4",
    "select * from skill_report(null, now(), 1440) order by 1, 2, 3, 4",
    "select * from skill_report('account-2', now(), 60)",
    "select * from skill_report('account-9', now(), 60)",
    "select * from report_segments('account-1', now(), 1440) order by conversation_id, segment_index",
    "select * from report_segments(null, now(), 60, 5, null, null, 'totalSkillConversationSegments') order by conversation_id, segment_index",
    "select * from report_segments('account-2', now(), 60)",
    "select * from report_segments('account-9', now(), 60)",
    "select * from system.partitions order by account_id, hour",
    # The rest are times of arrival.
    "select account_id, data_until, hot_rows, archived_rows, open_conversations, gaps_given_up, dead_letters, rejected from system.accounts",
    f"select path, {COLUMNS} from system.files order by path",
    "select account_id, door, state, rows_returned, query from system.queries order by query",
    "select count(*) as n from system.queries where account_id is null or account_id <> 'account-1'",
    "select * from information_schema.tables order by 1, 2, 3",
    "select table_schema, table_name, column_name, data_type from information_schema.columns order by 1, 2, 3",
    "select * from information_schema.schemata order by 1, 2",
    "select table_schema, table_name, view_definition from information_schema.views order by 1, 2",
    "explain select count(*) from segments where account_id = 'account-2' or skill_id > 3",
    "explain analyze select count(*) from segments where account_id = 'account-2'",
    "explain analyze select skill_id, count(*) from segments where account_id like 'account%' group by skill_id",
    "explain analyze select count(*) from segments, system.files",
    "select * from skills",
    "select * from secret_view",
    "create view secret_view as select 1 as x",
    "select * from secret_view",
    "drop view secret_view",
    "drop table skills",
    "select * from no_such_table",
    "select no_such_column from segments",
    "select * from segments where account_id = 'account-2' and conversation_id = 7 / 0",
]
TABLES = "select table_schema, table_name from information_schema.tables order by 1, 2"
# The numbers are others' own, and differ.
KILLS = [f"select kill_query({victim}) as killed" for victim in victims]

connection = psycopg.connect(f"postgresql://{name}:{token}@127.0.0.1:{port}/account-1", autocommit=True)

def still(value):
    "Without times that pass, and what an error repeats of the clock."
    text = json.dumps(value, default=str, ensure_ascii=False)
    # Of several functions with names alike, any is proposed.
    text = re.sub(r"Did you mean [^?]*\?", "", text)
    # Which thread reads how much is chance; what is read, and what is passed over, is not.
    told = r"(?:output_rows|\w*pruned\w*)=[^,\]]*"
    text = re.sub(r"metrics=\[[^\]]*\]", lambda metrics: ",".join(re.findall(told, metrics[0])), text)
    # The number of a connection is a random one.
    text = text.replace(str(connection.info.backend_pid), "NUMBER")
    # Segments ended in 2018, and arrive while the test runs.
    text = re.sub(r"20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", "ARRIVAL", text)
    return re.sub(r"\d+(\.\d+)?(ns|µs|ms|s)\b", "T", text)

def outcome(ask):
    try:
        return still(ask())
    except Exception as error:
        return still(f"{type(error).__name__}: {error}")

def over_http(statement):
    answer = requests.post(f"{url}/v1/sql", json={"query": statement}, headers=bearer)
    return [answer.status_code, answer.json()]

def over_postgresql(statement):
    cursor = connection.execute(statement)
    return [[column.name for column in cursor.description], cursor.fetchall()]

cursor = flight.connect(grpc, db_kwargs={"adbc.flight.sql.authorization_header": f"Bearer {token}"}).cursor()

def over_flight(statement):
    cursor.execute(statement)
    return [[column[0] for column in cursor.description], cursor.fetchall()]

answers = {}
for door, ask, rows in [
    ("http", over_http, lambda answer: [(row["table_schema"], row["table_name"]) for row in answer[1]]),
    ("postgresql", over_postgresql, lambda answer: answer[1]),
    ("flight", over_flight, lambda answer: answer[1]),
]:
    counts = [f'select count(*) as n from "{schema}"."{table}"' for schema, table in rows(ask(TABLES))]
    for statement in STATEMENTS + counts:
        answers[f"{door}: {statement}"] = outcome(lambda: ask(statement))
    for number, statement in enumerate(KILLS):
        answers[f"{door}: kill {number}"] = outcome(lambda: ask(statement))

# PostgreSQL.
for statement in ["select datname from pg_database order by 1", "select * from pg_stat_activity", "select pg_cancel_backend(1)",
                  "select relname from pg_class order by 1", "select current_database()"]:
    answers[f"postgresql: {statement}"] = outcome(lambda: over_postgresql(statement))
for database in ["account-2", "account-9", "skillscope"]:
    denied = outcome(lambda: psycopg.connect(f"postgresql://{name}:{token}@127.0.0.1:{port}/{database}"))
    answers[f"postgresql: enter {database}"] = denied.replace(database, "DATABASE").replace(port, "PORT")
for key in [0, 1, 2**31 - 1]:
    with socket.create_connection(("127.0.0.1", int(port))) as cancelling:
        cancelling.sendall(struct.pack("!iiii", 16, 80877102, int(process), key))
        answers[f"postgresql: cancel with {key}"] = repr(cancelling.recv(100))

# Flight SQL.
def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)

def field(number, content):
    return bytes([number << 3 | 2]) + varint(len(content)) + content

def command(kind, content):
    return field(1, f"type.googleapis.com/arrow.flight.protocol.sql.{kind}".encode()) + field(2, content)

client = pyarrow.flight.connect(grpc.replace("grpc://", "grpc+tcp://"))

def flight_options(**headers):
    return pyarrow.flight.FlightCallOptions(headers=[(key.encode(), value.encode()) for key, value in headers.items()])

own = flight_options(authorization=f"Bearer {token}")
for kind in ["CommandGetCatalogs", "CommandGetDbSchemas", "CommandGetTables", "CommandGetTableTypes", "CommandGetSqlInfo"]:
    def listed():
        info = client.get_flight_info(pyarrow.flight.FlightDescriptor.for_command(command(kind, b"")), own)
        return client.do_get(info.endpoints[0].ticket, own).read_all().to_pylist()
    answers[f"flight: {kind}"] = outcome(listed)
for account in ["account-2", "account-9"]:
    narrowed = flight_options(authorization=f"Bearer {token}", account=account)
    answers[f"flight: as {account}"] = outcome(lambda: list(client.list_flights(options=narrowed)))
    descriptor = pyarrow.flight.FlightDescriptor.for_command(command("CommandStatementQuery", field(1, b"select 1")))
    answers[f"flight: ask as {account}"] = outcome(lambda: client.get_flight_info(descriptor, narrowed))

# HTTP.
def http(method, path, **sent):
    answer = requests.request(method, url + path, **{"headers": bearer, **sent})
    return still([answer.status_code, answer.text])
ndjson = {**bearer, "Content-Type": "application/x-ndjson"}
segment = json.dumps({"account_id": "account-2", "conversation_id": "c", "segment_index": 0, "skill_id": 1, "start_time": 1516265500000,
    "end_time": 1516265500000, "start_reason": "new_conversation", "end_reason": "closed_by_consumer", "user_type": "none",
    "outcome": "abandoned", "abandoned_in_queue": True, "agent_messages": 0, "consumer_messages": 1})
event = json.dumps({"account_id": "account-2", "conversation_id": "open-b", "sequence": 0, "time": 1516265500000, "type": "conversation_started", "skill_id": 1})
report = "/operations/api/account/{}/msgskillsegments?timeframe=1440&v=1"
answers["http: own report"] = http("GET", report.format("account-1"))
answers["http: a segment of another account"] = http("POST", "/v1/accounts/account-1/segments", data=segment, headers=ndjson)
answers["http: an event of another account"] = http("POST", "/v1/accounts/account-1/events", data=event, headers=ndjson)
for account in ["account-2", "account-9"]:
    answers[f"http: report of {account}"] = http("GET", report.format(account))
    answers[f"http: segments for {account}"] = http("POST", f"/v1/accounts/{account}/segments", data=segment, headers=ndjson)
    answers[f"http: events for {account}"] = http("POST", f"/v1/accounts/{account}/events", data=event, headers=ndjson)
    answers[f"http: sql as {account}"] = http("POST", "/v1/sql", json={"query": "select 1", "account": account})
    answers[f"http: sql by url as {account}"] = http("GET", "/v1/sql", params={"query": "select count(*) from segments", "account": account})
    answers[f"http: log in to {account}"] = http("POST", f"/api/account/{account}/login", json={"username": name, "password": token})
answers["http: backup"] = http("POST", "/v1/backup")
answers["http: metrics"] = http("GET", "/metrics")
print(json.dumps(answers))
"#;

#[test]
fn a_token_of_one_account_tells_nothing_of_another_at_any_door() {
    let test = "a_token_of_one_account_tells_nothing_of_another_at_any_door";
    let Some(python) = Python::with_libraries(test) else { return };
    let (alone, shared) = (House::with(&["account-1"]), House::with(&["account-2", "account-1"]));
    let mut busy = python.command(BE_BUSY);
    busy.args(shared.arguments()).arg(shared.tokens["other"].as_str().unwrap()).stdout(Stdio::piped());
    let mut busy = Running(busy.spawn().unwrap());
    let mut process = String::new();
    BufReader::new(busy.0.stdout.take().unwrap()).read_line(&mut process).unwrap();
    let mut victims = Vec::new();
    until("the other account is busy at every door", || {
        let statements = shared.statements(&python);
        victims = statements.iter().map(|statement| statement["id"].clone()).collect();
        statements.iter().filter(|statement| statement["state"] != "planning").count() == 3
    });
    for name in ["own", "own-operator"] {
        let expected = alone.answers(&python, name, &[json!(1), json!(2), json!(3)], "1");
        let answers = shared.answers(&python, name, &victims, process.trim());
        assert!(expected.len() > 150, "{}", expected.len());
        assert_eq!(expected.keys().collect::<Vec<_>>(), answers.keys().collect::<Vec<_>>());
        for (question, expected) in &expected {
            assert_eq!(&answers[question], expected, "{name}, {question}");
        }
        let told = Value::from(answers).to_string();
        assert!(!told.contains("generate_series(1, 1000000000)") && told.contains("account-1"), "{name}");
        let running: Vec<Value> = shared.statements(&python).iter().map(|statement| statement["id"].clone()).collect();
        assert_eq!(running, victims, "{name} ended none of them");
    }
}
