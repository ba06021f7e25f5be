//! Values that clients bind and values that they are sent, over PostgreSQL and Flight SQL.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, serve, skipped, stderr, succeed};
use crate::foreign;
use crate::python::Python;

/// A server over some segments, with its ports.
struct Doors {
    _server: Server,
    postgresql: String,
    flight: String,
    _directory: TempDir,
}

impl Doors {
    fn over(segments: &Path) -> Self {
        let directory = TempDir::new().unwrap();
        let data_dir = directory.path().join("data");
        let data_dir = data_dir.to_str().unwrap();
        succeed(["import", "segments", segments.to_str().unwrap(), "--data-dir", data_dir]);
        let ports = ["--pg-listen", "127.0.0.1:0", "--flight-listen", "127.0.0.1:0"];
        let mut server = Server::spawn(serve().args(["--data-dir", data_dir]).args(ports));
        let postgresql = server.line();
        let postgresql = postgresql.strip_prefix("postgresql://127.0.0.1:").unwrap().to_owned();
        let flight = server.line();
        Self { _server: server, postgresql, flight, _directory: directory }
    }

    /// A server over four segments: two of them interactive, one of another outcome each, and three with an answer
    /// after two seconds.
    fn over_four(folder: &Path) -> Self {
        let segments = folder.join("four.ndjson");
        let outcomes = ["interactive", "interactive", "non_responsive_agent", "non_responsive_consumer"];
        let records = outcomes.iter().enumerate().map(|(number, outcome)| {
            let start = 1_516_179_100_000_u64 + 60_000 * u64::try_from(number).unwrap();
            let first_answer = (*outcome != "non_responsive_agent").then_some(2_000);
            let record = json!({
                "account_id": "acme", "conversation_id": format!("{number:08}-0000-4000-8000-000000000000"),
                "segment_index": 0, "skill_id": number + 1, "start_time": start, "end_time": start + 30_000,
                "start_reason": "new_conversation", "end_reason": "closed_by_agent", "user_type": "human",
                "outcome": outcome, "abandoned_in_queue": false, "first_assigned_time": start + 1_000,
                "first_agent_message_time": first_answer.map(|after| start + after),
                "time_to_first_agent_message_ms": first_answer,
                "agent_messages": usize::from(first_answer.is_some()), "consumer_messages": 2,
                "last_agent_id": "a-1", "source": "WEB",
            });
            format!("{record}\n")
        });
        std::fs::write(&segments, records.collect::<String>()).unwrap();
        Self::over(&segments)
    }
}

/// A file that others have sent; `None`, visibly, where it is not here.
fn field(test: &str, name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/field").join(name);
    let found = path.exists().then_some(path);
    if found.is_none() {
        skipped(test, "the files that others have sent are not here");
    }
    found
}

#[track_caller]
fn ask(python: &Python, script: &str, doors: &Doors) -> Value {
    serde_json::from_str(&python.run(script, &[&doors.postgresql, &doors.flight])).unwrap()
}

const PSYCOPG: &str = r#"
import datetime as dt, decimal, json, sys, psycopg
connection = psycopg.connect(f"host=127.0.0.1 port={sys.argv[1]} dbname=acme user=me", autocommit=True)
def ask(statement, values=(), **options):
    try:
        return connection.cursor(**options).execute(statement, values).fetchone()
    except Exception as error:
        return str(error)
"#;

#[test]
fn psycopg_binds_values_of_any_type() {
    let Some(python) = Python::with_libraries("psycopg_binds_values_of_any_type") else { return };
    let folder = TempDir::new().unwrap();
    let doors = Doors::over_four(folder.path());
    let script = PSYCOPG.to_owned()
        + r#"
count = "select count(*) from segments where "
words = ["interactive", "non_responsive_agent"]
asked = [
    (count + "time_to_first_agent_message_ms > %s", (1000.5,)),
    (count + "time_to_first_agent_message_ms > %s", (decimal.Decimal("2000.5"),)),
    (count + "end_time > now() - %s", (dt.timedelta(days=9999),)),
    (count + "end_time >= %s", (dt.datetime(2018, 1, 17, 8, 54, 10, tzinfo=dt.timezone.utc),)),
    (count + "end_time::date = %s", (dt.date(2018, 1, 17),)),
    (count + "outcome = any(%s)", (["interactive"],)),
    (count + "outcome = any(%s::text[])", (words,)),
    (count + "outcome <> all(%s::text[])", (words,)),
    (count + "skill_id = any(%s)", ([1, 2, 300],)),
    (count + "not abandoned_in_queue = %s", (True,)),
    ("select sum(case when outcome = %s then %s else %s end) from segments", ("interactive", 1, 0)),
    ("select sum(case when outcome = %s then %s else %s end) from segments", ("interactive", 1, None)),
    (count + "skill_id in (%s, %s)", (1, 3)),
    ("select skill_id from segments order by skill_id limit %s offset %s", (1, 2)),
]
print(json.dumps([[ask(*one), ask(*one, binary=True)] for one in asked]))
"#;
    let answers = ask(&python, &script, &doors);
    let expected = [3, 0, 4, 2, 4, 2, 3, 1, 2, 4, 2, 2, 2, 3].map(|number| json!([[number], [number]]));
    assert_eq!(answers, json!(expected));
}

#[test]
fn psycopg_reads_the_same_in_both_forms() {
    let Some(python) = Python::with_libraries("psycopg_reads_the_same_in_both_forms") else { return };
    let folder = TempDir::new().unwrap();
    let doors = Doors::over_four(folder.path());
    // The statement, and what Python makes of its value.
    let script = PSYCOPG.to_owned()
        + r#"
zone = lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))
D = decimal.Decimal
expected = {
    "arrow_cast(2, 'Int8')": 2,
    "arrow_cast(-128, 'Int8')": -128,
    "arrow_cast(255, 'UInt8')": 255,
    "arrow_cast(65535, 'UInt16')": 65535,
    "arrow_cast(4294967295, 'UInt32')": 4294967295,
    "arrow_cast('18446744073709551615', 'UInt64')": D("18446744073709551615"),
    "arrow_cast(-9223372036854775807, 'Int64')": -9223372036854775807,
    "arrow_cast(0.5, 'Float16')": 0.5,
    "arrow_cast(1e6, 'Float32')": 1e6,
    "arrow_cast(1e-300, 'Float64')": 1e-300,
    "arrow_cast('-12345678901234567890123456789.012345678', 'Decimal128(38, 9)')": D("-12345678901234567890123456789.012345678"),
    "arrow_cast('123456789012345678901234567890123456789012.5', 'Decimal256(60, 2)')": D("123456789012345678901234567890123456789012.50"),
    "arrow_cast('2018-01-17', 'Date32')": dt.date(2018, 1, 17),
    "arrow_cast('2018-01-17', 'Date64')": dt.date(2018, 1, 17),
    "arrow_cast('08:00:01', 'Time32(Second)')": dt.time(8, 0, 1),
    "arrow_cast('08:00:01.5', 'Time64(Nanosecond)')": dt.time(8, 0, 1, 500000),
    "arrow_cast('2018-01-17 08:00:00.001', 'Timestamp(Millisecond, None)')": dt.datetime(2018, 1, 17, 8, 0, 0, 1000),
    "arrow_cast('1900-01-01', 'Timestamp(Second, None)')": dt.datetime(1900, 1, 1),
    "arrow_cast('2018-01-17T08:00:00Z', 'Timestamp(Nanosecond, Some(\"+05:30\"))')": dt.datetime(2018, 1, 17, 13, 30, tzinfo=zone(330)),
    "arrow_cast('2018-01-17T08:00:00Z', 'Timestamp(Second, Some(\"Asia/Kolkata\"))')": dt.datetime(2018, 1, 17, 13, 30, tzinfo=zone(330)),
    "arrow_cast('2018-01-17T08:00:00Z', 'Timestamp(Second, Some(\"America/St_Johns\"))')": dt.datetime(2018, 1, 17, 4, 30, tzinfo=zone(-210)),
    "arrow_cast(90061, 'Duration(Second)')": dt.timedelta(days=1, hours=1, minutes=1, seconds=1),
    "interval '2 days 3 hours'": dt.timedelta(days=2, hours=3),
    "interval '-1 day' - interval '1 microsecond'": dt.timedelta(days=-1, microseconds=-1),
    "arrow_cast('x', 'LargeUtf8')": "x",
    "arrow_cast('x', 'Utf8View')": "x",
    "arrow_cast('x', 'Dictionary(Int8, Utf8)')": "x",
    "arrow_cast('x', 'Binary')": b"x",
    "null": None,
    "array[1, 2, null]": [1, 2, None],
    "array['a', 'b c', '', null, 'null']": ["a", "b c", "", None, "null"],
    "array[array[1, 2], array[3, 4]]": [[1, 2], [3, 4]],
    "array[true, false]": [True, False],
    "array[1.5::double]": [1.5],
    "array[date '2018-01-17']": [dt.date(2018, 1, 17)],
    "array[]::int[]": [],
}
wrong = []
for text, value in expected.items():
    for binary in False, True:
        answer = ask("select " + text, binary=binary)
        if answer != (value,):
            wrong.append([text, binary, str(answer), str(value)])
text = ask("select arrow_cast('2018-01-17T08:00:00Z', 'Timestamp(Second, Some(\"Asia/Kolkata\"))')::text")
print(json.dumps(wrong))
"#;
    assert_eq!(ask(&python, &script, &doors), json!([]));
}

#[test]
fn flight_sql_binds_values_of_any_type() {
    let Some(python) = Python::with_libraries("flight_sql_binds_values_of_any_type") else { return };
    let folder = TempDir::new().unwrap();
    let doors = Doors::over_four(folder.path());
    let script = r#"
import datetime as dt, json, sys, pyarrow as pa
import adbc_driver_flightsql.dbapi as flightsql
count = "select count(*) from segments where "
def values(*columns):
    return pa.record_batch([pa.array([value], of) for value, of in columns], [str(n) for n in range(len(columns))])
words = (["interactive", "non_responsive_agent"], pa.list_(pa.string()))
asked = [
    (count + "time_to_first_agent_message_ms > $1", values((1000.5, pa.float64()))),
    (count + "end_time > now() - $1", values((dt.timedelta(days=9999), pa.duration("us")))),
    (count + "outcome = any($1)", values(words)),
    (count + "outcome <> all($1)", values(words)),
    ("select sum(case when outcome = $1 then $2 else $3 end) from segments",
     values(("interactive", pa.string()), (1, pa.int8()), (0, pa.int16()))),
    (count + "skill_id = $1", values((1, pa.uint8()))),
    (count + "outcome = any($1::text[])", values(("{interactive,x}", pa.string()))),
]
answers = []
with flightsql.connect(sys.argv[2], autocommit=True) as connection:
    for statement, bound in asked:
        with connection.cursor() as cursor:
            try:
                cursor.execute(statement, bound)
                answers.append(cursor.fetchone()[0])
            except Exception as error:
                answers.append(str(error))
print(json.dumps(answers))
"#;
    assert_eq!(ask(&python, script, &doors), json!([3, 4, 3, 1, 2, 1, 2]));
}

#[test]
fn psql_begins_with_the_options_that_it_is_given() {
    if !foreign::is_here("psql_begins_with_the_options_that_it_is_given", "psql", "postgresql-client") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let doors = Doors::over_four(folder.path());
    let shown = |options: &str| {
        let target = format!(
            "host=127.0.0.1 port={} dbname=acme user=me connect_timeout=20 options='{options}'",
            doors.postgresql
        );
        foreign::command("psql").args(["-X", "-At", &target, "-c", "show statement_timeout"]).output().unwrap()
    };
    let output = shown("-c statement_timeout=1000");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1s\n", "{}", stderr(&output));
    let output = shown("-c statement_timeout=soon");
    assert!(stderr(&output).contains("invalid value for parameter \"statement_timeout\": \"soon\""), "{output:?}");
}

#[test]
fn the_scripts_that_others_have_sent_have_their_right_values() {
    let test = "the_scripts_that_others_have_sent_have_their_right_values";
    let Some(python) = Python::with_libraries(test) else { return };
    for (name, script, expected) in [
        ("03-pg-text-array-parameter", "any.py", "(200,)\n(0,)\n"),
        ("24-parameters-of-other-types", "pp.py", "(3,)\n(4,)\n(2,)\n(2,)\n"),
    ] {
        let Some(folder) = field(test, name) else { return };
        let doors = Doors::over(&folder.join("segments.ndjson"));
        let script = std::fs::read_to_string(folder.join(script)).unwrap();
        assert_eq!(python.run(&script, &["127.0.0.1", &doors.postgresql]), expected, "{name}");
    }
}
