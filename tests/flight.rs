//! Flight SQL as its drivers use it: what they are told of rows before these come, parameters, actions, and what they ask
//! about tables. Drivers in Java and Go send the messages that are written here by hand.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, serve};
use crate::python::Python;
use crate::sample;

/// A server over the sample.
struct Door {
    flight: String,
    postgresql: String,
    _server: Server,
    _directory: TempDir,
}

impl Door {
    fn open() -> Self {
        let directory = TempDir::new().unwrap();
        sample::import_into(directory.path());
        let clock = ["--data-dir", directory.path().to_str().unwrap(), "--now", "2018-01-18T08:51:55.679Z"];
        let ports = ["--pg-listen", "127.0.0.1:0", "--flight-listen", "127.0.0.1:0"];
        let mut server = Server::spawn(serve().args(clock).args(ports));
        let (postgresql, flight) = (server.line(), server.line());
        Self { flight, postgresql, _server: server, _directory: directory }
    }

    fn ask(&self, python: &Python, script: &str) -> Value {
        let script = format!("{MESSAGES}\n{script}\nprint(json.dumps(answers))");
        serde_json::from_str(&python.run(&script, &[&self.flight, &self.postgresql])).unwrap()
    }
}

/// Messages of Flight SQL, which are fields of bytes, texts and numbers.
const MESSAGES: &str = r#"
import json, sys, warnings
import pyarrow as pa, pyarrow.flight as fl
import adbc_driver_flightsql.dbapi as adbc
warnings.simplefilter("ignore")
answers = {}
client = fl.connect(sys.argv[1].replace("grpc://", "grpc+tcp://"))

def number(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])

def field(tag, value):
    if isinstance(value, bool) or isinstance(value, int):
        return number(tag << 3) + number(int(value))
    value = value.encode() if isinstance(value, str) else value
    return number(tag << 3 | 2) + number(len(value)) + value

def message(name, *fields):
    body = b"".join(field(tag, value) for tag, value in fields)
    return field(1, "type.googleapis.com/arrow.flight.protocol.sql." + name) + field(2, body)

def parts(data):
    "The fields of a message, by their tags."
    found, place = {}, 0
    def take():
        nonlocal place
        value, shift = 0, 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while place < len(data):
        key = take()
        if key & 7 == 2:
            length = take()
            value = data[place:place + length]
            place += length
        else:
            value = take()
        found.setdefault(key >> 3, []).append(value)
    return found

def options(headers):
    return fl.FlightCallOptions(headers=[(name.encode(), value.encode()) for name, value in headers.items()])

def told(command, **headers):
    return client.get_flight_info(fl.FlightDescriptor.for_command(command), options(headers))

def rows(command, **headers):
    info = told(command, **headers)
    table = client.do_get(info.endpoints[0].ticket, options(headers)).read_all()
    assert info.schema.equals(table.schema, check_metadata=True), f"{info.schema}\n\n{table.schema}"
    return table

def query(text):
    return message("CommandStatementQuery", (1, text))

def act(name, body=b"", **headers):
    return [result.body.to_pybytes() for result in client.do_action(fl.Action(name, body), options(headers))]

def failure(call):
    try:
        call()
    except Exception as error:
        return str(error)
"#;

#[test]
fn rows_have_the_columns_that_were_told() {
    let Some(python) = Python::with_libraries("rows_have_the_columns_that_were_told") else { return };
    let answers = Door::open().ask(
        &python,
        r#"
statements = [
    "select * from segments",
    "select * from open_conversations",
    "select current_date, now(), current_timestamp",
    "select version()",
    "select b.skill_id from segments a left join segments b on a.conversation_id = b.conversation_id where b.skill_id > 0",
    "select a.skill_id, b.outcome from segments a full join segments b on a.conversation_id = b.conversation_id and b.skill_id = 1",
    "select skill_id = any(array[1, 2]) x from segments",
    "select grouping(skill_id), skill_id, count(*) from segments group by rollup(skill_id)",
    "select outcome, skill_id, sum(agent_messages) from segments group by cube(outcome, skill_id)",
    "select make_array(1, 2), array[null, 'a'], make_array(), array[[1], [2, 3]]",
    "select named_struct('a', 1, 'b', make_array('x')) s, struct(1, 'a') t",
    "select map(['a', 'b'], [1, 2]) m",
    "select arrow_cast(make_array(1, 2), 'LargeList(Int64)') a, arrow_cast(make_array(1, 2), 'FixedSizeList(2, Int64)') b",
    "select arrow_cast('a', 'Utf8View') a, arrow_cast('a', 'LargeUtf8') b, arrow_cast('a', 'BinaryView') c",
    "select array_agg(outcome) o, array_agg(skill_id) s from segments group by user_type",
    "select null a, 1 b, 1.5 c, true d, 'x' e, interval '1 day' f, decode('00', 'hex') g",
    "select sum(agent_messages), avg(agent_messages), min(end_time), max(source), count(*) from segments",
    "select case when skill_id = 1 then 1 end a, coalesce(source, 'x') b, nullif(skill_id, 1) c from segments",
    "select end_time - start_time, end_time::date, date_trunc('hour', end_time), to_char(end_time, 'YYYY') from segments",
    "select row_number() over (order by end_time) a, lag(skill_id) over (order by end_time) b from segments",
    "select * from metrics_by_hour",
    "select * from skill_report('account-1', now(), 60)",
    "select * from report_segments('account-1', now(), 1440)",
    "select 1 as a, 2 as a",
    "select a.outcome, b.outcome from segments a, segments b limit 3",
    "select * from system.queries",
    "select * from information_schema.columns",
    "select skill_id from segments where false",
    "select 1 union all select null",
    "select skill_id from segments union select null order by 1",
    "values (1, 'a'), (null, 'b')",
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select * from n",
    "explain select * from segments",
    "explain analyze select count(*) from segments",
    "show tables",
    "select unnest(array[1, 2]), (select max(skill_id) from segments), exists (select 1)",
    "select approx_percentile_cont(0.5) within group (order by skill_id), stddev(skill_id), string_agg(outcome, ',') from segments",
    "select arrow_cast(outcome, 'Dictionary(Int32, Utf8)') o from segments",
]
header = {"adbc.flight.sql.rpc.call_header.account": "account-1"}
answers["failed"] = []
with adbc.connect(sys.argv[1], db_kwargs=header, autocommit=True) as connection:
    for text in statements:
        try:
            table = rows(query(text), account="account-1")
            with connection.cursor() as cursor:
                cursor.execute(text)
                assert cursor.fetch_arrow_table().schema.names == table.schema.names
            # Prepared, as JDBC asks.
            [made] = act("CreatePreparedStatement", message("ActionCreatePreparedStatementRequest", (1, text)), account="account-1")
            made = parts(parts(made)[2][0])
            prepared = rows(message("CommandPreparedStatementQuery", (1, made[1][0])), account="account-1")
            assert pa.ipc.read_schema(pa.py_buffer(made[2][0])).equals(prepared.schema, check_metadata=True)
            # The schema by itself, which some clients ask for.
            schema = client.get_schema(fl.FlightDescriptor.for_command(query(text)), options({"account": "account-1"}))
            assert schema.schema.equals(table.schema)
        except Exception as error:
            answers["failed"].append([text, str(error)[:300]])
answers["types"] = [str(field.type) for field in rows(query("select arrow_cast(outcome, 'Dictionary(Int32, Utf8)') o, skill_id from segments")).schema]
"#,
    );
    assert_eq!(answers["failed"], json!([]));
    assert_eq!(answers["types"], json!(["string", "int64"]));
}

#[test]
fn dictionaries_are_kept_where_a_header_or_the_session_says_so() {
    let Some(python) = Python::with_libraries("dictionaries_are_kept_where_a_header_or_the_session_says_so") else {
        return;
    };
    let answers = Door::open().ask(
        &python,
        r#"
text = query("select arrow_cast(outcome, 'Dictionary(Int32, Utf8)') o from segments order by end_time")
plain = rows(text)
by_header = rows(text, dictionaries="keep")
answers["types"] = [str(table.schema.field(0).type) for table in (plain, by_header)]
answers["alike"] = by_header.column(0).cast(pa.string()).to_pylist() == plain.column(0).to_pylist()
answers["wrong"] = failure(lambda: told(text, dictionaries="perhaps"))

class Cookies(fl.ClientMiddlewareFactory):
    value = None
    def start_call(self, info):
        return Cookie()
class Cookie(fl.ClientMiddleware):
    def received_headers(self, headers):
        for cookie in headers.get("set-cookie", []):
            Cookies.value = cookie.split(";")[0]
    def sending_headers(self):
        return {"cookie": Cookies.value} if Cookies.value else {}
client = fl.connect(sys.argv[1].replace("grpc://", "grpc+tcp://"), middleware=[Cookies()])
option = lambda name, value: field(1, field(1, name) + field(2, field(1, value)))
answers["set"] = [list(body) for body in act("SetSessionOptions", option("dictionaries", "keep"))]
answers["told"] = sorted(parts(entry)[1][0].decode() for entry in parts(act("GetSessionOptions")[0])[1])
answers["types"].append(str(rows(text).schema.field(0).type))
act("CloseSession")
answers["types"].append(str(rows(text).schema.field(0).type))
"#,
    );
    let dictionary = "dictionary<values=string, indices=int32, ordered=0>";
    assert_eq!(answers["types"], json!(["string", dictionary, dictionary, "string"]));
    assert_eq!(answers["alike"], true);
    assert_eq!(answers["set"], json!([[]]), "nothing is wrong with the options");
    assert_eq!(answers["told"], json!(["catalog", "dictionaries", "schema"]));
    assert!(answers["wrong"].as_str().unwrap().contains("text or keep"), "{answers}");
}

#[test]
fn parameters_may_be_question_marks() {
    let Some(python) = Python::with_libraries("parameters_may_be_question_marks") else { return };
    let answers = Door::open().ask(
        &python,
        r#"
def ask(text, values):
    with adbc.connect(sys.argv[1], autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(text, values)
        return [list(row) for row in cursor.fetchall()]
answers["both"] = ask("select count(*) from segments where skill_id = ? and outcome = ? -- ?", (1, "interactive"))
answers["numbered"] = ask("select count(*) from segments where skill_id = $1 and outcome = $2", (1, "interactive"))
answers["texts"] = ask("select '?', ?, \"?\" from (select 7 as \"?\") t", ("a",))
answers["joined"] = ask("select 'a'||?||'b' where 1<? and ?=?", ("x", 2, 3, 3))
answers["types"] = ask("select ?, ?, ?", (1, "a", None))
answers["mixed"] = failure(lambda: ask("select ?, $1", (1,)))
answers["few"] = failure(lambda: ask("select ?, ?", (1,)))
"#,
    );
    assert_eq!(answers["both"], answers["numbered"]);
    assert_eq!(answers["texts"], json!([["?", "a", 7]]));
    assert_eq!(answers["joined"], json!([["axb"]]));
    assert_eq!(answers["types"], json!([[1, "a", null]]));
    assert!(answers["mixed"].as_str().unwrap().contains("not both"), "{answers}");
    assert!(answers["few"].as_str().unwrap().contains("2 parameters"), "{answers}");
}

#[test]
fn actions_that_are_offered_are_there_and_others_are_refused_in_plain_words() {
    let Some(python) = Python::with_libraries("actions_that_are_offered_are_there_and_others_are_refused") else {
        return;
    };
    let answers = Door::open().ask(
        &python,
        r#"
answers["offered"] = sorted(action.type for action in client.list_actions())
answers["unknown"] = [name for name in answers["offered"] if "UNIMPLEMENTED" in (failure(lambda: act(name)) or "").upper()]
transaction = message("ActionBeginTransactionRequest")
answers["transaction"] = failure(lambda: act("BeginTransaction", transaction))
answers["other"] = failure(lambda: act("Nonsense"))
# A statement that would not end.
endless = query("select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value <> b.value + 1")
import threading, time
def cancelled(make):
    info = told(endless)
    outcome = []
    reading = threading.Thread(target=lambda: outcome.append(failure(lambda: client.do_get(info.endpoints[0].ticket).read_all())))
    reading.start()
    while True:
        status = make(info)
        if status == 1:
            break
        time.sleep(0.01)
    reading.join()
    return outcome[0]
def status(body):
    return parts(body).get(1, [0])[0]
def by_info(info):
    return status(act("CancelFlightInfo", field(1, info.serialize()))[0])
def by_query(info):
    [result] = act("CancelQuery", message("ActionCancelQueryRequest", (1, info.serialize())))
    return status(parts(result)[2][0])
answers["cancelled"] = [cancelled(by_info), cancelled(by_query)]
# What has ended cannot be ended, and a ticket of one's own making neither.
info = told(query("select 1"))
answers["ended"] = by_info(info)
update = message("CommandStatementUpdate", (1, "select * from segments limit 3"))
def put(command):
    writer, reader = client.do_put(fl.FlightDescriptor.for_command(command), pa.schema([]))
    writer.done_writing()
    result = reader.read()
    writer.close()
    return parts(result.to_pybytes())[1][0]
answers["updated"] = put(update)
answers["refused"] = failure(lambda: put(message("CommandStatementUpdate", (1, "delete from segments"))))
answers["ingest"] = failure(lambda: put(message("CommandStatementIngest", (2, "t"))))
"#,
    );
    let offered = [
        "CancelFlightInfo",
        "CancelQuery",
        "ClosePreparedStatement",
        "CloseSession",
        "CreatePreparedStatement",
        "GetSessionOptions",
        "SetSessionOptions",
    ];
    assert_eq!(answers["offered"], json!(offered));
    assert_eq!(answers["unknown"], json!([]));
    let contains = |answer: &Value, part: &str| assert!(answer.as_str().unwrap().contains(part), "{answer}: {part}");
    contains(&answers["transaction"], "there are no transactions");
    contains(&answers["other"], "there is no action Nonsense");
    for reason in answers["cancelled"].as_array().unwrap() {
        contains(reason, "ended on request");
    }
    assert_eq!(answers["ended"], 3, "not cancellable");
    assert_eq!(answers["updated"], 3);
    contains(&answers["refused"], "rows are never changed in SQL");
    contains(&answers["ingest"], "skillscope import");
}

#[test]
fn drivers_look_around_at_every_depth() {
    let Some(python) = Python::with_libraries("drivers_look_around_at_every_depth") else { return };
    let answers = Door::open().ask(
        &python,
        r#"
def objects(connection, depth, **filters):
    return connection.adbc_get_objects(depth=depth, **filters).read_all().to_pylist()
with adbc.connect(sys.argv[1], autocommit=True) as connection:
    answers["catalogs"] = [catalog["catalog_name"] for catalog in objects(connection, "catalogs")]
    answers["schemas"] = [schema["db_schema_name"] for schema in objects(connection, "db_schemas")[0]["catalog_db_schemas"]]
    [catalog] = objects(connection, "all", db_schema_filter="public", table_name_filter="segments")
    [table] = catalog["catalog_db_schemas"][0]["db_schema_tables"]
    answers["columns"] = {column["column_name"]: column["xdbc_type_name"] for column in table["table_columns"]}
    answers["constraints"] = table["table_constraints"]
    [catalog] = objects(connection, "tables", db_schema_filter="public", table_name_filter="metrics\\_by\\_%")
    answers["pattern"] = sorted(table["table_name"] for table in catalog["catalog_db_schemas"][0]["db_schema_tables"])
    answers["types"] = connection.adbc_get_table_types()
    answers["info"] = connection.adbc_get_info()["vendor_name"]
tables = lambda *fields: rows(message("CommandGetTables", *fields))
answers["views"] = tables((4, "VIEW"), (2, "public")).column("table_name").to_pylist()
answers["none"] = tables((3, "nothing\\_like%")).num_rows
[schema] = tables((3, "segments"), (2, "public"), (5, True)).column("table_schema").to_pylist()
schema = pa.ipc.read_schema(pa.py_buffer(schema))
answers["remarks"] = [schema.field(name).metadata[b"ARROW:FLIGHT:SQL:REMARKS"].decode() for name in ("agent_messages", "skill_id")]
[schema_of_files] = tables((3, "files"), (2, "system"), (5, True)).column("table_schema").to_pylist()
schema_of_files = pa.ipc.read_schema(pa.py_buffer(schema_of_files))
answers["unremarked"] = [field.name for field in list(schema) + list(schema_of_files) if b"ARROW:FLIGHT:SQL:REMARKS" not in field.metadata]
answers["nullable"] = [schema.field("skill_id").nullable, schema.field("source").nullable]
answers["keys"] = {}
for name in ("PrimaryKeys", "ExportedKeys", "ImportedKeys"):
    table = rows(message("CommandGet" + name, (3, "segments")))
    answers["keys"][name] = [table.num_rows, table.num_columns]
table = rows(message("CommandGetCrossReference", (3, "segments"), (6, "segments")))
answers["keys"]["CrossReference"] = [table.num_rows, table.num_columns]
types = rows(message("CommandGetXdbcTypeInfo"))
answers["type names"] = sorted(types.column("type_name").to_pylist())
answers["bigint"] = rows(message("CommandGetXdbcTypeInfo", (1, (1 << 64) - 5))).column("type_name").to_pylist()
info = rows(message("CommandGetSqlInfo"))
answers["numbers"] = info.column("info_name").to_pylist()
facts = dict(zip(answers["numbers"], info.column("value").to_pylist()))
answers["functions"] = sorted(set(facts[509] + facts[510] + facts[511] + facts[512]))
known = rows(query("select distinct routine_name from information_schema.routines")).column(0).to_pylist()
answers["unknown"] = sorted(set(answers["functions"]) - set(known))
answers["flights"] = len(list(client.list_flights()))
poll = failure(lambda: told(message("CommandGetCatalogs")))
"#,
    );
    assert_eq!(answers["catalogs"], json!(["skillscope"]));
    for schema in ["information_schema", "public", "system"] {
        assert!(answers["schemas"].as_array().unwrap().contains(&json!(schema)), "{answers}");
    }
    let columns = &answers["columns"];
    assert_eq!(columns["skill_id"], "bigint");
    assert_eq!(columns["outcome"], "text");
    assert_eq!(columns["end_time"], "timestamp with time zone");
    assert_eq!(columns.as_object().unwrap().len(), 19);
    assert!(answers["constraints"].as_array().is_none_or(Vec::is_empty), "{answers}");
    assert_eq!(answers["pattern"], json!(["metrics_by_5_minutes", "metrics_by_day", "metrics_by_hour"]));
    assert_eq!(answers["views"], answers["pattern"]);
    assert_eq!(answers["none"], 0);
    assert_eq!(answers["types"], json!(["BASE TABLE", "VIEW"]));
    assert_eq!(answers["info"], "skillscope");
    assert_eq!(answers["nullable"], json!([false, true]));
    assert_eq!(
        answers["remarks"],
        json!(["Messages by assigned agents.", "The skill; -1 for conversations without a skill."])
    );
    assert_eq!(answers["unremarked"], json!([]));
    let keys =
        json!({ "PrimaryKeys": [0, 6], "ExportedKeys": [0, 13], "ImportedKeys": [0, 13], "CrossReference": [0, 13] });
    assert_eq!(answers["keys"], keys);
    assert!(answers["type names"].as_array().unwrap().contains(&json!("double precision")), "{answers}");
    assert_eq!(answers["bigint"], json!(["bigint"]));
    // Every fact that the protocol has a number for.
    let numbers: Vec<u32> = (0..=11).chain([100, 101]).chain(500..=576).collect();
    assert_eq!(answers["numbers"], json!(numbers));
    assert_eq!(answers["unknown"], json!([]));
    assert_eq!(answers["flights"], 0);
}

#[test]
fn both_drivers_of_adbc_give_the_same_rows() {
    let Some(python) = Python::with_libraries("both_drivers_of_adbc_give_the_same_rows") else { return };
    let answers = Door::open().ask(
        &python,
        r#"
import adbc_driver_postgresql.dbapi as postgresql
statements = [
    "select skill_id, outcome, count(*) as n from segments group by 1, 2 order by 1, 2",
    "select end_time, start_time, last_agent_id, abandoned_in_queue from segments order by end_time, conversation_id",
    "select array[1, 2] as a, 'x' as b, null::text as c, 1.5::float8 as d",
    "select skill_id from segments where false",
]
def asked(connection, text):
    with connection.cursor() as cursor:
        cursor.execute(text)
        return [[str(value) for value in row] for row in cursor.fetchall()]
database = sys.argv[2].replace("postgresql://", "postgresql://me@") + "/account-1"
header = {"adbc.flight.sql.rpc.call_header.account": "account-1"}
with adbc.connect(sys.argv[1], db_kwargs=header, autocommit=True) as flight, postgresql.connect(database) as other:
    answers["differ"] = [text for text in statements if asked(flight, text) != asked(other, text)]
    tables = lambda connection: sorted(table["table_name"] for catalog in connection.adbc_get_objects(depth="tables").read_all().to_pylist()
        for schema in catalog["catalog_db_schemas"] or [] if schema["db_schema_name"] == "public" for table in schema["db_schema_tables"] or [])
    answers["tables"] = tables(flight)
"#,
    );
    assert_eq!(answers["differ"], json!([]));
    assert_eq!(
        answers["tables"],
        json!(["metrics_by_5_minutes", "metrics_by_day", "metrics_by_hour", "open_conversations", "segments"])
    );
}
