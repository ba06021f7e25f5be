//! The clients that analysts have: psql, psycopg, ADBC over PostgreSQL and over Flight SQL.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, serve, stderr};
use crate::foreign;
use crate::process::{send_signal, until};
use crate::python::Python;
use crate::sample;

/// A server over the sample, half of it archived and half in memory, with all its ports.
pub(crate) struct Doors {
    pub(crate) server: Server,
    pub(crate) postgresql: u16,
    flight: String,
    _directory: TempDir,
}

impl Doors {
    pub(crate) fn open(options: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let data_dir = directory.path().to_str().unwrap();
        sample::import_into(directory.path());
        let ports = ["--pg-listen", "127.0.0.1:0", "--flight-listen", "127.0.0.1:0", "--hot-hours", "6"];
        let clock = ["--data-dir", data_dir, "--now", "2018-01-18T08:51:55.679Z"];
        let mut server = Server::spawn(serve().args(clock).args(ports).args(options));
        let postgresql = server.line();
        let port = postgresql.strip_prefix("postgresql://127.0.0.1:").expect("the second address is PostgreSQL's");
        let postgresql = port.parse().unwrap();
        let flight = server.line();
        assert!(flight.starts_with("grpc://127.0.0.1:"), "{flight}");
        Self { server, postgresql, flight, _directory: directory }
    }

    pub(crate) fn psql(&self, database: &str) -> Command {
        let mut command = foreign::command("psql");
        let port = self.postgresql.to_string();
        command.args(["-X", "-h", "127.0.0.1", "-U", "analyst", "-p", &port, "-d", database]);
        command.args(["-v", "ON_ERROR_STOP=1"]).env("PGCONNECT_TIMEOUT", "20");
        command
    }

    fn ask_psql(&self, database: &str, arguments: &[&str]) -> Output {
        self.psql(database).args(arguments).output().unwrap()
    }

    #[track_caller]
    fn psql_prints(&self, database: &str, statement: &str) -> String {
        let output = self.ask_psql(database, &["-At", "-c", statement]);
        assert!(output.status.success(), "{statement}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

/// Whether psql is there, or could be installed.
pub(crate) fn has_psql(test: &str) -> bool {
    foreign::is_here(test, "psql", "postgresql-client")
}

#[test]
fn psql_lists_describes_asks_and_copies() {
    if !has_psql("psql_lists_describes_asks_and_copies") {
        return;
    }
    let doors = Doors::open(&[]);
    assert_eq!(doors.psql_prints("account-1", "select count(*) from segments"), "200");
    assert_eq!(doors.psql_prints("skillscope", "select count(distinct account_id) from segments"), "1");
    assert_eq!(doors.psql_prints("nobody", "select count(*) from segments"), "0");
    let tables = doors.psql_prints("account-1", "\\dt");
    assert!(tables.contains("public|segments|table|"), "{tables}");
    assert!(tables.contains("public|open_conversations|table|"), "{tables}");
    let views = doors.psql_prints("account-1", "\\dv");
    assert!(views.contains("public|metrics_by_hour|view|"), "{views}");
    let columns = doors.psql_prints("account-1", "\\d segments");
    for column in
        ["end_time|timestamp with time zone|", "outcome|text|", "abandoned_in_queue|boolean|", "skill_id|bigint|"]
    {
        assert!(columns.contains(column), "{columns}");
    }
    let row = "select account_id, skill_id, end_time, abandoned_in_queue, source from segments order by end_time desc limit 1";
    assert_eq!(doors.psql_prints("account-1", row), last_row());
    assert_eq!(doors.psql_prints("account-1", "select null, '\u{fc}', 1.5, true"), "|\u{fc}|1.5|t");
    let copied = doors.psql_prints(
        "account-1",
        "copy (select skill_id, source from segments order by end_time desc limit 1) to stdout csv header",
    );
    assert_eq!(copied.lines().next(), Some("skill_id,source"));
    let copied = doors.psql_prints("account-1", "copy (select 1 as a, null as b, E'x\\ty' as c) to stdout");
    assert_eq!(copied, "1\t\\N\tx\\ty");
    // Several statements, and a transaction, as clients send them.
    assert_eq!(doors.psql_prints("account-1", "begin; select 1; commit"), "BEGIN\n1\nCOMMIT");
}

#[test]
fn words_of_duckdb_are_known_at_every_door() {
    let doors = Doors::open(&[]);
    let counted = doors.server.sql("from segments select count(*) as n, count(distinct account_id) as a");
    assert_eq!(counted, json!([{ "n": 200, "a": 1 }]));
    let summary = doors.server.sql("summarize segments");
    let first = json!({
        "column_name": "account_id", "column_type": "text", "min": "account-1", "max": "account-1", "approx_unique": 1,
        "avg": null, "std": null, "q25": null, "q50": null, "q75": null, "count": 200, "null_percentage": 0.0,
    });
    assert_eq!((summary.as_array().unwrap().len(), &summary[0]), (19, &first));
    if has_psql("words_of_duckdb_are_known_at_every_door") {
        assert_eq!(doors.psql_prints("account-1", "from segments select count(*)"), "200");
        let summary = doors.psql_prints("account-1", "Summarize segments;");
        assert_eq!(summary.lines().next(), Some("account_id|text|account-1|account-1|1||||||200|0.00"));
        let ordered = doors.psql_prints("account-1", "from (values (1, 'b'), (2, 'a')) t(n, x) order by all desc");
        assert_eq!(ordered, "2|a\n1|b");
        let prepared = "prepare p as summarize from segments where skill_id > $1; execute p(6)";
        let summary = doors.psql_prints("account-1", prepared);
        assert_eq!(summary.lines().nth(1), Some("account_id|text|||0||||||0|"), "{summary}");
    }
    let Some(python) = Python::with_libraries("words_of_duckdb_are_known_at_every_door") else { return };
    let script = "
import adbc_driver_flightsql.dbapi as adbc
with adbc.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
    answers = []
    for statement, values in [
        ('from segments select count(*)', None),
        ('summarize from segments select skill_id where outcome <> ?', ('x',)),
        ('select count(*) >= 0 from skill_report($1, $2, $3)', ('account-1', '2018-01-18T08:51:55.679Z', 60)),
        ('from (values (1), (2)) t(n) order by all desc', None),
    ]:
        cursor.execute(statement, values) if values else cursor.execute(statement)
        answers.append(rows(cursor))
print(json.dumps(answers, default=str))
";
    let answers = ask(&python, script, &[&doors.flight]);
    assert_eq!(answers[0], json!([[200]]));
    let summary = answers[1].as_array().unwrap();
    assert_eq!((summary.len(), &summary[0][0], &summary[0][10]), (1, &json!("skill_id"), &json!(200)));
    assert_eq!((&answers[2], &answers[3]), (&json!([[true]]), &json!([[2], [1]])));
}

/// What psql prints of the last segment of the sample, from the file.
fn last_row() -> String {
    let text = std::fs::read_to_string(sample::path()).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let last = records.max_by_key(|record| record["end_time"].as_i64()).unwrap();
    // In UTC, with the digits that are needed; the day and the hour are those of the sample's end.
    let ms = last["end_time"].as_i64().unwrap();
    let seconds = ms / 1000 % 86_400;
    let fraction = format!(".{:03}", ms % 1000);
    let time = format!("{:02}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let time = time.trim_end_matches('0').trim_end_matches('.');
    let queue = if last["abandoned_in_queue"].as_bool().unwrap() { "t" } else { "f" };
    let source = last["source"].as_str().unwrap_or("");
    format!("account-1|{}|2018-01-18 {time}+00|{queue}|{source}", last["skill_id"])
}

#[test]
fn psql_is_told_what_was_wrong() {
    if !has_psql("psql_is_told_what_was_wrong") {
        return;
    }
    let (doors, hurried) = (Doors::open(&[]), Doors::open(&["--sql-time-limit", "1"]));
    for (doors, statement, code, part) in [
        (&doors, "select nope from segments", "42703", "nope"),
        (&doors, "select 1 from nothing", "42P01", "nothing"),
        (&doors, "selec 1", "42601", "selec"),
        (&doors, "drop table segments", "42501", "skillscope's own"),
        (&doors, "select 1/0", "22012", "division by zero"),
        (&doors, "copy segments to '/tmp/x.csv'", "25006", "only statements that read"),
        (
            &hurried,
            "select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value <> b.value + 1",
            "57014",
            "longer than 1 s",
        ),
        (
            &doors,
            "set statement_timeout = 100; select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value <> b.value + 1",
            "57014",
            "0.1 s",
        ),
    ] {
        let output = doors.ask_psql("account-1", &["-v", "VERBOSITY=verbose", "-c", statement]);
        let message = stderr(&output);
        assert!(!output.status.success() && message.contains(code) && message.contains(part), "{statement}: {message}");
    }
    let message = stderr(&doors.ask_psql("no/account", &["-c", "select 1"]));
    assert!(message.contains("FATAL") && message.contains("skillscope for all"), "{message}");
}

#[test]
fn psql_cancels_a_statement_and_a_client_that_goes_ends_its_own() {
    if !has_psql("psql_cancels_a_statement_and_a_client_that_goes_ends_its_own") {
        return;
    }
    let doors = Doors::open(&[]);
    let endless = "select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value <> b.value + 1";
    let running =
        || doors.server.sql("select count(*) as n from system.queries where door = 'postgresql'")[0]["n"].as_u64();
    for signal in ["INT", "KILL"] {
        let mut command = doors.psql("account-1");
        let mut psql = command.args(["-c", endless]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        until("the statement runs", || running() == Some(1));
        send_signal(psql.id(), signal);
        let mut message = String::new();
        std::io::Read::read_to_string(&mut psql.stderr.take().unwrap(), &mut message).unwrap();
        psql.wait().unwrap();
        if signal == "INT" {
            assert!(message.contains("ended on request"), "{message}");
        }
        until("the statement has ended", || running() == Some(0));
    }
}

/// What both of ADBC's drivers and psycopg must make of the sample, as JSON.
const ASK: &str = r#"
import datetime, json, sys

def plain(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat()
    return value

def rows(cursor):
    return [[plain(value) for value in row] for row in cursor.fetchall()]

def failure(cursor, statement):
    try:
        cursor.execute(statement)
        cursor.fetchall()
    except Exception as error:
        return str(error)

# When a segment arrived is in no file.
def told(cursor):
    assert cursor.description[-1][0] == "arrival_time"
    return [row[:-1] for row in rows(cursor)]

EVERY_COLUMN = ("select * from segments where conversation_id in (select conversation_id from segments where source is null "
                "or time_to_first_agent_message_ms is null) order by end_time, conversation_id, segment_index limit 5")
"#;

#[track_caller]
fn ask(python: &Python, script: &str, arguments: &[&str]) -> Value {
    serde_json::from_str(&python.run(&format!("{ASK}\n{script}"), arguments)).unwrap()
}

/// The rows that every client is asked for, from the file of the sample.
fn expected_rows() -> Value {
    let text = std::fs::read_to_string(sample::path()).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let has_null = |record: &&Value| record["source"].is_null() || record["time_to_first_agent_message_ms"].is_null();
    let wanted: Vec<&Value> = records.iter().filter(has_null).map(|record| &record["conversation_id"]).collect();
    let mut rows: Vec<&Value> = records.iter().filter(|record| wanted.contains(&&record["conversation_id"])).collect();
    rows.sort_by_key(|row| {
        (row["end_time"].as_i64(), row["conversation_id"].as_str().unwrap().to_owned(), row["segment_index"].as_u64())
    });
    let columns = [
        "account_id",
        "conversation_id",
        "segment_index",
        "skill_id",
        "start_time",
        "end_time",
        "start_reason",
        "end_reason",
        "user_type",
        "outcome",
        "abandoned_in_queue",
        "first_assigned_time",
        "first_agent_message_time",
        "time_to_first_agent_message_ms",
        "agent_messages",
        "consumer_messages",
        "last_agent_id",
        "source",
    ];
    let value = |row: &Value, column: &str| match (&row[column], column.ends_with("_time")) {
        (Value::Number(ms), true) => json!(iso(ms.as_i64().unwrap())),
        (value, _) => value.clone(),
    };
    rows.iter().take(5).map(|row| columns.iter().map(|column| value(row, column)).collect::<Value>()).collect()
}

/// As Python writes an instant of January 2018 in UTC.
fn iso(ms: i64) -> String {
    const JANUARY: i64 = 1_514_764_800_000;
    let (day, ms) = ((ms - JANUARY) / 86_400_000 + 1, (ms - JANUARY) % 86_400_000);
    let seconds = ms / 1000;
    let fraction = if ms % 1000 == 0 { String::new() } else { format!(".{:06}", ms % 1000 * 1000) };
    format!("2018-01-{day:02}T{:02}:{:02}:{:02}{fraction}+00:00", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[test]
fn psycopg_asks_with_parameters_and_reads_every_type() {
    let Some(python) = Python::with_libraries("psycopg_asks_with_parameters_and_reads_every_type") else { return };
    let doors = Doors::open(&[]);
    let answers = ask(
        &python,
        r#"
import psycopg
answers = {}
with psycopg.connect(f"host=127.0.0.1 port={sys.argv[1]} user=analyst dbname=account-1") as connection:
    for binary in (False, True):
        cursor = connection.cursor(binary=binary)
        answers[f"rows {binary}"] = told(cursor.execute(EVERY_COLUMN))
        instant = datetime.datetime(2018, 1, 18, tzinfo=datetime.timezone.utc)
        counted = cursor.execute("select count(*) from segments where skill_id = %s and outcome = %s and end_time < %s",
                                 (1, "interactive", instant))
        answers[f"count {binary}"] = rows(counted)
        # The statement is prepared after some times.
        for _ in range(8):
            answers[f"again {binary}"] = rows(cursor.execute("select %s::bigint + 1", (41,)))
    tables = "select table_name from information_schema.tables where table_schema = 'public' order by 1"
    answers["tables"] = rows(connection.execute(tables))
    connection.commit()
    try:
        connection.execute("select nope from segments")
    except psycopg.errors.UndefinedColumn as error:
        answers["error"] = str(error)
    connection.rollback()
    with connection.cursor().copy("copy (select skill_id, source from segments order by end_time limit 3) to stdout") as copy:
        answers["copied"] = len(list(copy.rows()))
print(json.dumps(answers))
"#,
        &[&doors.postgresql.to_string()],
    );
    let text = "select count(*) as n from segments where skill_id = 1 and outcome = 'interactive' and end_time < '2018-01-18T00:00:00Z'";
    let count = &doors.server.sql(text)[0]["n"];
    for binary in ["False", "True"] {
        assert_eq!(answers[format!("rows {binary}")], expected_rows(), "{binary}");
        assert_eq!(answers[format!("count {binary}")], json!([[count]]));
        assert_eq!(answers[format!("again {binary}")], json!([[42]]));
    }
    assert_eq!(
        answers["tables"],
        json!([
            ["metrics_by_5_minutes"],
            ["metrics_by_day"],
            ["metrics_by_hour"],
            ["open_conversations"],
            ["segments"]
        ])
    );
    assert!(answers["error"].as_str().unwrap().contains("nope"), "{answers}");
    assert_eq!(answers["copied"], 3);
}

#[test]
fn adbc_over_postgresql_lists_asks_and_reads() {
    let Some(python) = Python::with_libraries("adbc_over_postgresql_lists_asks_and_reads") else { return };
    let doors = Doors::open(&[]);
    let answers = ask(
        &python,
        r#"
import warnings; warnings.simplefilter("ignore")
import adbc_driver_postgresql.dbapi as adbc
answers = {}
with adbc.connect(f"postgresql://analyst@127.0.0.1:{sys.argv[1]}/account-1") as connection:
    with connection.cursor() as cursor:
        cursor.execute(EVERY_COLUMN)
        answers["rows"] = told(cursor)
        cursor.execute("select count(*) from segments where skill_id = $1", (1,))
        answers["count"] = rows(cursor)
    answers["schema"] = {field.name: str(field.type) for field in connection.adbc_get_table_schema("segments")}
    [catalog] = [catalog for catalog in connection.adbc_get_objects(depth="tables").read_all().to_pylist()
                 if catalog["catalog_name"] == "account-1"]
    [schema] = [schema for schema in catalog["catalog_db_schemas"] if schema["db_schema_name"] == "public"]
    answers["tables"] = sorted(table["table_name"] for table in schema["db_schema_tables"])
    with connection.cursor() as cursor:
        answers["error"] = failure(cursor, "select nope from segments")
print(json.dumps(answers))
"#,
        &[&doors.postgresql.to_string()],
    );
    assert_eq!(answers["rows"], expected_rows());
    assert_eq!(
        answers["count"][0][0],
        doors.server.sql("select count(*) as n from segments where skill_id = 1")[0]["n"]
    );
    assert!(answers["error"].as_str().unwrap().contains("nope"), "{answers}");
    assert_eq!(answers["schema"]["skill_id"], "int64");
    assert_eq!(answers["schema"]["end_time"], "timestamp[us, tz=UTC]");
    assert_eq!(
        answers["tables"],
        json!(["metrics_by_5_minutes", "metrics_by_day", "metrics_by_hour", "open_conversations", "segments"])
    );
}

#[test]
fn adbc_over_flight_sql_lists_and_asks() {
    let test = "adbc_over_flight_sql_lists_and_asks";
    let Some(python) = Python::with_libraries(test) else { return };
    let doors = Doors::open(&[]);
    let answers = ask(
        &python,
        r#"
import warnings; warnings.simplefilter("ignore")
import adbc_driver_flightsql.dbapi as adbc
answers = {}
header = {"adbc.flight.sql.rpc.call_header.account": "account-1"}
with adbc.connect(sys.argv[1], db_kwargs=header) as connection:
    with connection.cursor() as cursor:
        cursor.execute(EVERY_COLUMN)
        answers["rows"] = told(cursor)
        cursor.execute("select * from segments")
        table = cursor.fetch_arrow_table()
        answers["all"] = table.num_rows
        answers["types"] = {field.name: str(field.type) for field in table.schema}
        cursor.execute("select count(*) from segments where skill_id = $1 and outcome = $2", (1, "interactive"))
        answers["count"] = rows(cursor)
        answers["error"] = failure(cursor, "select nope from segments")
        answers["write"] = failure(cursor, "drop table segments")
    answers["schema"] = {field.name: str(field.type) for field in connection.adbc_get_table_schema("segments", db_schema_filter="public")}
    [catalog] = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
    answers["tables"] = sorted(f"{schema['db_schema_name']}.{table['table_name']}" for schema in catalog["catalog_db_schemas"]
                               for table in schema["db_schema_tables"] if schema["db_schema_name"] != "information_schema")
    answers["vendor"] = connection.adbc_get_info()["vendor_name"]
for header in ({"adbc.flight.sql.rpc.call_header.account": "nobody"}, {}):
    with adbc.connect(sys.argv[1], db_kwargs=header) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from segments")
        answers["all" if not header else "nobody"] = rows(cursor)[0][0]
print(json.dumps(answers))
"#,
        &[&doors.flight],
    );
    assert_eq!(answers["rows"], expected_rows());
    assert_eq!((&answers["all"], &answers["nobody"]), (&json!(200), &json!(0)));
    let text = "select count(*) as n from segments where skill_id = 1 and outcome = 'interactive'";
    assert_eq!(answers["count"][0][0], doors.server.sql(text)[0]["n"]);
    for types in ["types", "schema"] {
        let types = &answers[types];
        assert_eq!(types["outcome"], "string");
        assert_eq!(types["end_time"], "timestamp[ms, tz=UTC]");
        assert_eq!(types["segment_index"], "uint32");
    }
    assert!(answers["error"].as_str().unwrap().contains("nope"), "{answers}");
    assert!(answers["write"].as_str().unwrap().contains("skillscope's own"), "{answers}");
    let tables = [
        "public.metrics_by_5_minutes",
        "public.metrics_by_day",
        "public.metrics_by_hour",
        "public.open_conversations",
        "public.segments",
    ];
    let system = ["system.accounts", "system.files", "system.partitions", "system.queries"];
    assert_eq!(answers["tables"], json!(tables.into_iter().chain(system).collect::<Vec<_>>()));
    assert_eq!(answers["vendor"], "skillscope");
}
