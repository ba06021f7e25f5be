//! Clients that take a large result a page at a time, and that send values of many types: what each of them does with
//! a server of PostgreSQL, it does with ours.

use std::fs;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::binary::stderr;
use crate::clients::{Doors, has_psql};
use crate::foreign;
use crate::node::Node;
use crate::python::Python;
use crate::real_postgresql::RealPostgresql;

/// Rows enough for many pages, and for more batches than are computed ahead.
const ROWS: &str = "select value as n, 'row ' || value as t from generate_series(1, 50000) order by 1";

/// The sum of their numbers.
const SUM: i64 = 1_250_025_000;

#[track_caller]
fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[track_caller]
fn ask(python: &Python, script: &str, port: u16) -> Value {
    json_of(&python.command(script).args([&port.to_string(), ROWS]).output().unwrap())
}

#[test]
fn psycopg_pages_with_named_cursors() {
    let Some(python) = Python::with_libraries("psycopg_pages_with_named_cursors") else { return };
    let doors = Doors::open(&[]);
    let answers = ask(
        &python,
        r#"
import json, sys
import psycopg, psycopg2
port, rows = sys.argv[1:]
told = f"host=127.0.0.1 port={port} user=analyst dbname=account-1"
answers = {}
with psycopg.connect(told) as connection:
    for binary in (False, True):
        with connection.cursor(f"named {binary}", binary=binary) as cursor:
            cursor.itersize = 1000
            cursor.execute(rows)
            answers[f"columns {binary}"] = [column.name for column in cursor.description]
            answers[f"sum {binary}"] = sum(row[0] for row in cursor)
    with connection.cursor("with parameters") as cursor:
        cursor.execute("select skill_id from segments where skill_id = %s and outcome = any(%s)", (1, ["abandoned"]))
        answers["parameters"] = cursor.fetchall()
    with connection.cursor("there and back", scrollable=True) as cursor:
        cursor.execute(rows)
        cursor.scroll(100)
        forth = cursor.fetchone()[0]
        cursor.scroll(-2)
        answers["scrolled"] = [forth, cursor.fetchone()[0]]
    held = connection.cursor("held", withhold=True)
    held.execute(rows)
    connection.commit()
    answers["held"] = [held.fetchone()[0], sum(row[0] for row in held.fetchmany(10))]
    held.close()
    connection.commit()
    with connection.transaction():
        try:
            with connection.transaction():
                connection.execute("select nope from segments")
        except psycopg.errors.UndefinedColumn:
            pass
        answers["after"] = connection.execute("select 7").fetchone()[0]
    notices = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    connection.execute("set search_path = reporting")
    answers["notices"] = len(notices)
connection = psycopg2.connect(told)
cursor = connection.cursor("old")
cursor.itersize = 500
cursor.execute(rows)
answers["psycopg2"] = sum(row[0] for row in cursor)
cursor.close()
cursor = connection.cursor("old too", withhold=True)
cursor.execute(rows)
connection.commit()
answers["psycopg2 held"] = len(cursor.fetchall())
cursor.close()
connection.rollback()
try:
    connection.cursor().execute("close nothing")
except psycopg2.Error as error:
    answers["code"] = error.pgcode
print(json.dumps(answers))
"#,
        doors.postgresql,
    );
    for binary in ["False", "True"] {
        assert_eq!(answers[format!("columns {binary}")], json!(["n", "t"]));
        assert_eq!(answers[format!("sum {binary}")], SUM);
    }
    assert_eq!(answers["parameters"], json!([[1]]));
    assert_eq!(answers["scrolled"], json!([101, 100]));
    assert_eq!(answers["held"], json!([1, 65]));
    assert_eq!((&answers["after"], &answers["notices"]), (&json!(7), &json!(1)));
    assert_eq!((&answers["psycopg2"], &answers["psycopg2 held"]), (&json!(SUM), &json!(50_000)));
    assert_eq!(answers["code"], "34000");
}

#[test]
fn asyncpg_pools_pages_and_reads_arrays() {
    let Some(python) = Python::with_libraries("asyncpg_pools_pages_and_reads_arrays") else { return };
    let doors = Doors::open(&[]);
    let answers = ask(
        &python,
        r#"
import asyncio, datetime, decimal, json, sys
import asyncpg
port, rows = sys.argv[1:]
to = dict(host="127.0.0.1", port=int(port), user="analyst", database="account-1")

async def main():
    answers = {}
    async with asyncpg.create_pool(min_size=1, max_size=2, **to) as pool:
        for turn in range(3):
            async with pool.acquire() as connection:
                answers["pool"] = await connection.fetchval("select count(*) from segments")
    connection = await asyncpg.connect(**to)
    answers["limit"] = len(await connection.fetch("select skill_id from segments limit $1 offset $2", 2, 1))
    answers["cast"] = await connection.fetchval("select $1::int + 1", 1)
    answers["any"] = await connection.fetchval("select count(*) from segments where skill_id = any($1)", [1, 2])
    answers["text"] = await connection.fetchval("select count(*) from segments where outcome = any($1)", ["abandoned"])
    answers["between"] = await connection.fetchval(
        "select count(*) from generate_series(1, 9) t(x) where x between $1 and $2 or x in ($3, $4)", 2, 3, 8, 9)
    answers["interval"] = str(await connection.fetchval(
        "select timestamp '2018-01-18' - $1::interval", datetime.timedelta(days=1, hours=1)))
    answers["unit"] = str(await connection.fetchval("select date_trunc($1, timestamp '2018-01-18 08:30')", "hour"))
    answers["ints"] = await connection.fetchval("select array_agg(distinct skill_id order by skill_id) from segments")
    answers["texts"] = await connection.fetchval("select array['a', null, 'b,c']")
    answers["times"] = [str(time) for time in await connection.fetchval(
        "select array[timestamptz '2018-01-18 08:00Z', timestamptz '2018-01-18 09:00Z']")]
    answers["given"] = await connection.fetchval("select $1::bigint[]", [1, None, 3])
    answers["decimals"] = str((await connection.fetchval("select $1::numeric + 1", decimal.Decimal("1.50"))).normalize())
    answers["float"] = await connection.fetchval("select $1::float8 / 2", 1)
    async with connection.transaction():
        answers["sum"] = sum([row["n"] async for row in connection.cursor(rows, prefetch=1000)])
    try:
        async with connection.transaction():
            async with connection.transaction():
                await connection.fetch("select nope from segments")
    except asyncpg.UndefinedColumnError:
        answers["error"] = await connection.fetchval("select 7")
    await connection.reset()
    await connection.close()
    print(json.dumps(answers))

asyncio.run(main())
"#,
        doors.postgresql,
    );
    let counted = |condition: &str| {
        doors.server.sql(&format!("select count(*) as n from segments where {condition}"))[0]["n"].clone()
    };
    for (name, expected) in [
        ("pool", json!(200)),
        ("limit", json!(2)),
        ("cast", json!(2)),
        ("any", counted("skill_id in (1, 2)")),
        ("text", counted("outcome = 'abandoned'")),
        ("between", json!(4)),
        ("interval", json!("2018-01-16 23:00:00")),
        ("unit", json!("2018-01-18 08:00:00")),
        ("ints", json!([1, 2, 3, 4, 5, 6])),
        ("texts", json!(["a", null, "b,c"])),
        ("times", json!(["2018-01-18 08:00:00+00:00", "2018-01-18 09:00:00+00:00"])),
        ("given", json!([1, null, 3])),
        ("decimals", json!("2.5")),
        ("float", json!(0.5)),
        ("sum", json!(SUM)),
        ("error", json!(7)),
    ] {
        assert_eq!(answers[name], expected, "{name}");
    }
}

#[test]
fn node_postgres_and_postgres_js_page_and_bind() {
    let Some(node) = Node::with_libraries("node_postgres_and_postgres_js_page_and_bind") else { return };
    let doors = Doors::open(&[]);
    let script = r#"
const [port, rows] = process.argv.slice(1).filter(argument => argument !== "--");
const { Client } = require("pg"), Cursor = require("pg-cursor"), QueryStream = require("pg-query-stream");
const postgres = require("postgres");
const to = { host: "127.0.0.1", port: Number(port), user: "analyst", database: "account-1" };
(async () => {
    const answers = {};
    const client = new Client({ ...to, statement_timeout: 60000 });
    await client.connect();
    const one = async (text, values) => Object.values((await client.query(text, values)).rows[0])[0];
    answers.timeout = await one("show statement_timeout");
    answers.limit = (await client.query("select skill_id from segments limit $1", [2])).rowCount;
    answers.cast = await one("select $1::int", [2]);
    answers.any = await one("select count(*) from segments where outcome = any($1)", [["abandoned", "interactive"]]);
    answers.array = await one("select array_agg(distinct skill_id order by skill_id) from segments");
    const cursor = client.query(new Cursor(rows));
    let sum = 0;
    for (let page; (page = await cursor.read(1000)).length > 0;) page.forEach(row => sum += Number(row.n));
    answers.cursor = sum;
    sum = 0;
    for await (const row of client.query(new QueryStream(rows, [], { batchSize: 500 }))) sum += Number(row.n);
    answers.stream = sum;
    await client.query("begin");
    await client.query("declare c cursor for " + rows);
    answers.declared = (await client.query("fetch 100 from c")).rows.length;
    await client.query("rollback");
    await client.end();
    const sql = postgres({ ...to, max: 1, onnotice: () => {} });
    answers.js = (await sql`select skill_id from segments where skill_id = ${1} and outcome = any(${["abandoned"]}) limit ${5}`).length;
    answers.jsArray = (await sql`select ${sql.array([1, 2, 3])}::int[] as a`)[0].a;
    sum = 0;
    await sql.unsafe(rows).cursor(1000, page => page.forEach(row => sum += Number(row.n)));
    answers.jsCursor = sum;
    answers.jsBegin = await sql.begin(async sql => {
        try { await sql.savepoint(sql => sql`select nope from segments`); } catch (error) { answers.jsCode = error.code; }
        return (await sql`select 7::int as n`)[0].n;
    });
    await sql.end();
    console.log(JSON.stringify(answers));
})().catch(error => { console.error(error); process.exit(1); });
"#;
    let answers = json_of(&node.command(script).args([&doors.postgresql.to_string(), ROWS]).output().unwrap());
    let any = doors.server.sql("select count(*) as n from segments where outcome in ('abandoned', 'interactive')");
    for (name, expected) in [
        ("timeout", json!("1min")),
        ("limit", json!(2)),
        ("cast", json!(2)),
        ("any", json!(any[0]["n"].to_string())),
        ("array", json!(["1", "2", "3", "4", "5", "6"])),
        ("cursor", json!(SUM)),
        ("stream", json!(SUM)),
        ("declared", json!(100)),
        ("js", json!(1)),
        ("jsArray", json!([1, 2, 3])),
        ("jsCursor", json!(SUM)),
        ("jsBegin", json!(7)),
        ("jsCode", json!("42703")),
    ] {
        assert_eq!(answers[name], expected, "{name}");
    }
}

/// A program for pgJDBC, as Java runs it from its source.
const JDBC: &str = r#"
import java.sql.*;
import java.util.Properties;

public class Pages {
    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", "analyst");
        properties.setProperty("options", "-c statement_timeout=60000");
        String url = "jdbc:postgresql://127.0.0.1:" + arguments[0] + "/account-1";
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            connection.setAutoCommit(false);
            long sum = 0;
            try (PreparedStatement statement = connection.prepareStatement(
                    "select * from (" + arguments[1] + ") t where n > ?")) {
                statement.setFetchSize(1000);
                statement.setInt(1, 0);
                // From the sixth time on, it is prepared on the server, and values come in binary.
                for (int time = 0; time < 7; time++) {
                    sum = 0;
                    try (ResultSet rows = statement.executeQuery()) {
                        while (rows.next()) sum += rows.getLong(1);
                    }
                }
            }
            System.out.println("sum " + sum);
            Savepoint savepoint = connection.setSavepoint("before");
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("select nope from segments");
            } catch (SQLException error) {
                System.out.println("code " + error.getSQLState());
                connection.rollback(savepoint);
            }
            connection.releaseSavepoint(savepoint);
            try (Statement statement = connection.createStatement()) {
                statement.execute("declare c cursor for " + arguments[1]);
                try (ResultSet rows = statement.executeQuery("fetch 100 from c")) {
                    int count = 0;
                    while (rows.next()) count++;
                    System.out.println("fetched " + count);
                }
                try (ResultSet rows = statement.executeQuery("show statement_timeout")) {
                    rows.next();
                    System.out.println("timeout " + rows.getString(1));
                }
            }
            try (PreparedStatement statement = connection.prepareStatement(
                    "select count(*), array_agg(distinct skill_id order by skill_id) from segments where outcome = any(?)")) {
                statement.setArray(1, connection.createArrayOf("text", new String[] {"abandoned", "interactive"}));
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    System.out.println("any " + rows.getLong(1) + " " + rows.getArray(2));
                }
            }
            connection.commit();
            connection.setReadOnly(true);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            System.out.println("isolation " + connection.getTransactionIsolation());
        }
    }
}
"#;

#[test]
fn pgjdbc_pages_with_a_fetch_size() {
    let test = "pgjdbc_pages_with_a_fetch_size";
    let Some(jar) = jdbc(test) else { return };
    let doors = Doors::open(&[]);
    let folder = tempfile::TempDir::new().unwrap();
    let source = folder.path().join("Pages.java");
    fs::write(&source, JDBC).unwrap();
    let mut java = foreign::command("java");
    java.args(["-cp", jar, source.to_str().unwrap(), &doors.postgresql.to_string(), ROWS]);
    let output = java.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let any = doors.server.sql("select count(*) as n from segments where outcome in ('abandoned', 'interactive')");
    let expected =
        format!("sum {SUM}\ncode 42703\nfetched 100\ntimeout 1min\nany {} {{1,2,3,4,5,6}}\nisolation 4\n", any[0]["n"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

/// Debian's pgJDBC, with a Java that runs it.
fn jdbc(test: &str) -> Option<&'static str> {
    const JAR: &str = "/usr/share/java/postgresql.jar";
    if !foreign::is_here(test, "java", "default-jdk-headless") {
        return None;
    }
    let is_there = || fs::exists(JAR).unwrap_or(false);
    if is_there() || (foreign::install("libpostgresql-jdbc-java") && is_there()) {
        return Some(JAR);
    }
    crate::binary::skipped(test, "Debian's package libpostgresql-jdbc-java cannot be installed");
    None
}

#[test]
fn psqlodbc_declares_and_fetches() {
    let test = "psqlodbc_declares_and_fetches";
    let Some(driver) = odbc(test) else { return };
    let Some(python) = Python::with_libraries(test) else { return };
    let doors = Doors::open(&[]);
    let script = r#"
import json, sys
import pyodbc
port, rows, driver = sys.argv[1:]
answers = {}
for declares in ("0", "1"):
    to = f"DRIVER={driver};SERVER=127.0.0.1;PORT={port};DATABASE=account-1;UID=analyst;UseDeclareFetch={declares};Fetch=1000"
    connection = pyodbc.connect(to)
    cursor = connection.cursor()
    cursor.execute(rows)
    answers[f"sum {declares}"] = sum(row[0] for row in cursor.fetchall())
    # Over its first pages alone.
    cursor.execute(rows)
    answers[f"first {declares}"] = [row[0] for row in cursor.fetchmany(3)]
    cursor.close()
    cursor = connection.cursor()
    cursor.execute("select count(*) from segments where skill_id = ? and outcome = ?", 1, "abandoned")
    answers[f"count {declares}"] = cursor.fetchone()[0]
    try:
        cursor.execute("select nope from segments")
        cursor.fetchall()
    except pyodbc.Error as error:
        answers[f"code {declares}"] = error.args[0]
    connection.rollback()
    cursor = connection.cursor()
    cursor.execute("select 7")
    answers[f"after {declares}"] = cursor.fetchone()[0]
    connection.commit()
    connection.close()
print(json.dumps(answers))
"#;
    let output = python.command(script).args([&doors.postgresql.to_string(), ROWS, driver]).output().unwrap();
    let answers = json_of(&output);
    let count = doors.server.sql("select count(*) as n from segments where skill_id = 1 and outcome = 'abandoned'");
    for declares in ["0", "1"] {
        assert_eq!(answers[format!("sum {declares}")], SUM);
        assert_eq!(answers[format!("first {declares}")], json!([1, 2, 3]));
        assert_eq!(answers[format!("count {declares}")], count[0]["n"]);
        assert_eq!(answers[format!("code {declares}")], "42703");
        assert_eq!(answers[format!("after {declares}")], 7);
    }
}

/// Debian's psqlODBC, with the library that pyodbc loads it by.
fn odbc(test: &str) -> Option<&'static str> {
    const DRIVER: &str = "/usr/lib/x86_64-linux-gnu/odbc/psqlodbcw.so";
    let is_there = || fs::exists(DRIVER).unwrap_or(false);
    if is_there() || (foreign::install("odbc-postgresql") && foreign::install("unixodbc") && is_there()) {
        return Some(DRIVER);
    }
    crate::binary::skipped(test, "Debian's packages odbc-postgresql and unixodbc cannot be installed");
    None
}

#[test]
fn postgres_fdw_imports_and_reads_a_table() {
    let Some(postgresql) = RealPostgresql::start("postgres_fdw_imports_and_reads_a_table") else { return };
    let doors = Doors::open(&[]);
    let port = doors.postgresql;
    postgresql.run(&format!(
        "create extension postgres_fdw;
         create server skillscope foreign data wrapper postgres_fdw
             options (host '127.0.0.1', port '{port}', dbname 'account-1', fetch_size '50');
         create user mapping for public server skillscope options (user 'analyst', password 'none');
         create schema ours;
         import foreign schema public from server skillscope into ours;"
    ));
    let rows = doors
        .server
        .sql("select skill_id, count(*) as n from segments where outcome = 'interactive' group by 1 order by 1");
    let expected: Vec<String> =
        rows.as_array().unwrap().iter().map(|row| format!("{}|{}", row["skill_id"], row["n"])).collect();
    for estimates in ["false", "true"] {
        postgresql.run(&format!(
            "alter server skillscope options ({} use_remote_estimate '{estimates}')",
            if estimates == "false" { "add" } else { "set" }
        ));
        assert_eq!(postgresql.run("select count(*), count(distinct conversation_id) > 1 from ours.segments"), "200|t");
        // The condition is computed there, and the rows come a few at a time.
        let grouped =
            "select skill_id, count(*) from ours.segments where outcome = 'interactive' group by 1 order by 1";
        assert_eq!(postgresql.run(grouped), expected.join("\n"));
        // Joined here with a table that is only here.
        let joined = "select count(*) from ours.segments s join (values (1::bigint), (2)) t(skill_id) using (skill_id)
                      where s.end_time > '2018-01-17 12:00:00+00'";
        let count = "select count(*) as n from segments where skill_id in (1, 2) and end_time > '2018-01-17T12:00:00Z'";
        assert_eq!(postgresql.run(joined), doors.server.sql(count)[0]["n"].to_string());
        // Within a transaction of there, and a part of it that fails.
        let savepoint =
            "begin; select count(*) from ours.segments; savepoint s; select 1 / 0 * count(*) from ours.segments;
                         rollback to s; select count(*) from ours.segments; commit";
        assert_eq!(postgresql.run_despite_errors(savepoint), "200\n200");
    }
}

#[test]
fn psql_pages_and_copies() {
    if !has_psql("psql_pages_and_copies") {
        return;
    }
    let doors = Doors::open(&[]);
    let run = |arguments: &[&str]| {
        let output = doors.psql("account-1").arg("-At").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let paged = run(&["-v", "FETCH_COUNT=1000", "-c", ROWS]);
    assert_eq!(paged, run(&["-c", ROWS]));
    assert_eq!((paged.lines().count(), paged.lines().last()), (50_000, Some("50000|row 50000")));
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("out.csv");
    let copy = format!(
        "\\copy (select 1 as a, null as b, 'x;y' as c) to '{}' with csv header delimiter ';' null 'x'",
        file.display()
    );
    run(&["-c", &copy]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "a;b;c\n1;x;\"x;y\"\n");
    let timeout = doors
        .psql("dbname=account-1 options='-c statement_timeout=1000'")
        .args(["-At", "-c", "show statement_timeout"])
        .output();
    assert_eq!(String::from_utf8(timeout.unwrap().stdout).unwrap(), "1s\n");
    let notice = doors.psql("account-1").args(["-c", "set search_path = x"]).output().unwrap();
    assert!(stderr(&notice).contains("NOTICE:  the parameter \"search_path\" has no effect"), "{}", stderr(&notice));
    let unknown = doors.psql("account-1").args(["-v", "VERBOSITY=verbose", "-c", "show nope"]).output().unwrap();
    assert!(stderr(&unknown).contains("42704"), "{}", stderr(&unknown));
}

#[test]
fn a_cursor_takes_no_more_memory_for_more_rows() {
    if !has_psql("a_cursor_takes_no_more_memory_for_more_rows") {
        return;
    }
    // Of the machine that the tests run on; the server counts its own memory.
    let doors = Doors::open(&[]);
    let page = |rows: u32| {
        let statement = format!("select value, repeat('x', 100) from generate_series(1, {rows})");
        let mut psql = doors.psql("account-1");
        psql.args(["-At", "-v", "FETCH_COUNT=10000", "-c", &statement]).stdout(Stdio::null());
        assert!(psql.status().unwrap().success());
    };
    page(100_000);
    let before = most_memory(doors.server.id());
    // Some 200 MiB of values.
    page(2_000_000);
    let more = most_memory(doors.server.id()) - before;
    assert!(more < 50 << 10, "{more} KiB more than before");
}

/// The most memory that a process has had, in KiB.
fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
