//! The tools that analysts look around with, as they come: SQLAlchemy, pandas, Ibis, pgcli, and pgJDBC's metadata.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{skipped, stderr};
use crate::clients::Doors;
use crate::foreign;
use crate::python::Python;

/// The tables and views of an account.
const NAMES: [&str; 5] =
    ["metrics_by_5_minutes", "metrics_by_day", "metrics_by_hour", "open_conversations", "segments"];

#[track_caller]
fn answers(python: &Python, script: &str, doors: &Doors) -> Value {
    let script = format!("import sys, json\nanswers = {{}}\n{script}\nprint(json.dumps(answers, default=str))");
    serde_json::from_str(&python.run(&script, &[&doors.postgresql.to_string()])).unwrap()
}

#[test]
fn sqlalchemy_reflects_with_every_driver() {
    let Some(python) = Python::with_reflection("sqlalchemy_reflects_with_every_driver") else { return };
    let doors = Doors::open(&[]);
    let answers = answers(
        &python,
        r#"
import asyncio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

def look_around(connection):
    inspector = sa.inspect(connection)
    segments = sa.Table("segments", sa.MetaData(), autoload_with=connection)
    everything = sa.MetaData()
    everything.reflect(connection, views=True)
    first = connection.execute(sa.select(sa.func.count()).where(segments.c.skill_id == 1)).scalar()
    return {
        "version": list(connection.dialect.server_version_info),
        "schemas": inspector.get_schema_names(),
        "tables": inspector.get_table_names(),
        "views": sorted(inspector.get_view_names()),
        "system": sorted(inspector.get_table_names(schema="system")),
        "columns": {column["name"]: [str(column["type"]), column["nullable"]] for column in inspector.get_columns("segments")},
        "comment": inspector.get_table_comment("segments")["text"],
        "keys": [inspector.get_pk_constraint("segments")["constrained_columns"], inspector.get_foreign_keys("segments"),
                 inspector.get_indexes("segments"), inspector.get_unique_constraints("segments"),
                 inspector.get_check_constraints("segments")],
        "has": [inspector.has_table("segments"), inspector.has_table("nothing")],
        "reflected": sorted(everything.tables),
        "definition": "from segments" in inspector.get_view_definition("metrics_by_hour"),
        "counted": first,
    }

for driver in ("psycopg2", "psycopg"):
    engine = sa.create_engine(f"postgresql+{driver}://analyst@127.0.0.1:{sys.argv[1]}/account-1")
    with engine.connect() as connection:
        answers[driver] = look_around(connection)

async def with_asyncpg():
    engine = create_async_engine(f"postgresql+asyncpg://analyst@127.0.0.1:{sys.argv[1]}/account-1")
    async with engine.connect() as connection:
        return await connection.run_sync(look_around)
answers["asyncpg"] = asyncio.run(with_asyncpg())
"#,
        &doors,
    );
    let expected = json!({
        "version": [16, 6],
        "schemas": ["information_schema", "public", "system"],
        "tables": ["open_conversations", "segments"],
        "views": &NAMES[..3],
        "system": ["accounts", "files", "partitions", "queries"],
        "comment": "Every closed segment, whether it is in memory or in the archive.",
        "keys": [[], [], [], [], []],
        "has": [true, false],
        "reflected": NAMES,
        "definition": true,
        "counted": 67,
    });
    for (driver, told) in answers.as_object().unwrap() {
        for (question, expected) in expected.as_object().unwrap() {
            assert_eq!(told[question], *expected, "{driver}: {question}");
        }
        let columns = &told["columns"];
        assert_eq!(columns.as_object().unwrap().len(), 19, "{driver}");
        assert_eq!(columns["skill_id"], json!(["BIGINT", false]), "{driver}");
        assert_eq!(columns["end_time"], json!(["TIMESTAMP", false]), "{driver}");
        assert_eq!(columns["outcome"], json!(["TEXT", false]), "{driver}");
        assert_eq!(columns["abandoned_in_queue"], json!(["BOOLEAN", false]), "{driver}");
        assert_eq!(columns["last_agent_id"], json!(["TEXT", true]), "{driver}");
    }
}

#[test]
fn pandas_reads_tables_and_statements() {
    let Some(python) = Python::with_reflection("pandas_reads_tables_and_statements") else { return };
    let doors = Doors::open(&[]);
    let answers = answers(
        &python,
        r#"
import pandas, sqlalchemy
engine = sqlalchemy.create_engine(f"postgresql+psycopg2://analyst@127.0.0.1:{sys.argv[1]}/account-1")
table = pandas.read_sql_table("segments", engine)
answers["rows"] = len(table)
answers["types"] = {name: str(of) for name, of in table.dtypes.items()}
answers["counts"] = pandas.read_sql("select outcome, count(*) as n from segments group by 1", engine).set_index("outcome")["n"].to_dict()
"#,
        &doors,
    );
    assert_eq!(answers["rows"], 200);
    assert_eq!(answers["types"]["skill_id"], "int64");
    assert_eq!(answers["types"]["abandoned_in_queue"], "bool");
    assert!(answers["types"]["end_time"].as_str().unwrap().ends_with("UTC]"), "{answers}");
    let counts = json!({"interactive": 120, "non_responsive_agent": 38, "non_responsive_consumer": 33, "abandoned": 9});
    assert_eq!(answers["counts"], counts);
}

#[test]
fn ibis_lists_and_describes() {
    let Some(python) = Python::with_reflection("ibis_lists_and_describes") else { return };
    let doors = Doors::open(&[]);
    let answers = answers(
        &python,
        r#"
import ibis
connection = ibis.postgres.connect(host="127.0.0.1", port=int(sys.argv[1]), user="analyst", database="account-1")
answers["tables"] = sorted(connection.list_tables())
answers["databases"] = sorted(connection.list_databases())
answers["catalogs"] = connection.list_catalogs()
segments = connection.table("segments")
answers["schema"] = {name: str(of) for name, of in segments.schema().items()}
counted = segments.group_by("outcome").aggregate(n=segments.count()).order_by(ibis.desc("n")).limit(1).execute()
answers["counted"] = counted.values.tolist()
"#,
        &doors,
    );
    assert_eq!(answers["tables"], json!(NAMES));
    assert_eq!(answers["databases"], json!(["information_schema", "pg_catalog", "public", "system"]));
    assert_eq!(answers["catalogs"], json!(["account-1"]));
    let schema = answers["schema"].as_object().unwrap();
    assert_eq!(schema.len(), 19);
    assert_eq!((&schema["skill_id"], &schema["last_agent_id"]), (&json!("!int64"), &json!("string")));
    assert_eq!(answers["counted"], json!([["interactive", 120]]));
}

#[test]
fn pgcli_completes_and_describes() {
    let Some(python) = Python::with_reflection("pgcli_completes_and_describes") else { return };
    let doors = Doors::open(&[]);
    let answers = answers(
        &python,
        r#"
from pgcli.completion_refresher import CompletionRefresher
from pgcli.pgexecute import PGExecute
from pgspecial.main import PGSpecial
from prompt_toolkit.document import Document
import threading
execute = PGExecute("account-1", "analyst", "", "127.0.0.1", sys.argv[1], None)
special, made, done = PGSpecial(), [], threading.Event()
CompletionRefresher().refresh(execute, special, lambda completer: (made.append(completer), done.set()), settings={})
assert done.wait(120)
def completed(text):
    return [completion.text for completion in made[0].get_completions(Document(text, len(text)), None)]
answers["tables"] = [name for name in completed("select * from seg") if name == "segments"]
answers["columns"] = [name for name in completed("select * from segments where aban") if name == "abandoned_in_queue"]
answers["functions"] = [name for name in completed("select * from skill_rep") if name.startswith("skill_report")]
cursor = execute.conn.cursor()
for command in (r"\d segments", r"\dt+", r"\dv", r"\df", r"\du", r"\l", r"\dn+"):
    [(title, rows, headers, status, *_)] = special.execute(cursor, command)
    answers[command] = len(list(rows))
answers["view"] = "segments" in execute.view_definition("public.metrics_by_hour")
"#,
        &doors,
    );
    assert_eq!(answers["tables"], json!(["segments"]));
    assert_eq!(answers["columns"], json!(["abandoned_in_queue"]));
    assert_eq!(answers["functions"].as_array().unwrap().len(), 1, "{answers}");
    assert_eq!((&answers["\\d segments"], &answers["\\dt+"], &answers["\\dv"]), (&json!(19), &json!(2), &json!(3)));
    assert_eq!((&answers["\\df"], &answers["\\l"], &answers["view"]), (&json!(3), &json!(1), &json!(true)));
}

/// Asks pgJDBC for all of its metadata, and prints how many rows each answer has, or that it failed.
const METADATA: &str = r#"
import java.sql.*;

public class Metadata {
    interface Question { ResultSet ask() throws SQLException; }

    static void ask(String name, Question question) {
        try (ResultSet rows = question.ask()) {
            int count = 0;
            StringBuilder first = new StringBuilder();
            while (rows.next()) if (count++ == 0) {
                for (int column = 1; column <= Math.min(6, rows.getMetaData().getColumnCount()); column++) {
                    first.append('|').append(rows.getString(column));
                }
            }
            System.out.println(name + " " + count + " " + first);
        } catch (SQLException failure) {
            System.out.println(name + " failed: " + failure.getMessage());
        }
    }

    public static void main(String[] arguments) throws SQLException {
        String url = "jdbc:postgresql://127.0.0.1:" + arguments[0] + "/account-1?user=analyst";
        try (Connection connection = DriverManager.getConnection(url)) {
            DatabaseMetaData metadata = connection.getMetaData();
            System.out.println("product " + metadata.getDatabaseProductName() + " " + metadata.getDatabaseMajorVersion());
            System.out.println("limits " + metadata.getMaxColumnNameLength() + " " + metadata.getMaxColumnsInIndex());
            ask("catalogs", metadata::getCatalogs);
            ask("schemas", metadata::getSchemas);
            ask("tables", () -> metadata.getTables(null, "public", "%", new String[] {"TABLE"}));
            ask("views", () -> metadata.getTables(null, "public", "%", new String[] {"VIEW"}));
            ask("columns", () -> metadata.getColumns(null, "public", "segments", "%"));
            ask("primary", () -> metadata.getPrimaryKeys(null, "public", "segments"));
            ask("imported", () -> metadata.getImportedKeys(null, "public", "segments"));
            ask("exported", () -> metadata.getExportedKeys(null, "public", "segments"));
            ask("indexes", () -> metadata.getIndexInfo(null, "public", "segments", false, false));
            ask("best", () -> metadata.getBestRowIdentifier(null, "public", "segments", 1, true));
            ask("versions", () -> metadata.getVersionColumns(null, "public", "segments"));
            ask("types", metadata::getTypeInfo);
            ask("kinds", metadata::getTableTypes);
            ask("functions", () -> metadata.getFunctions(null, "public", "%"));
            ask("arguments", () -> metadata.getFunctionColumns(null, "public", "%", "%"));
            ask("procedures", () -> metadata.getProcedures(null, "public", "%"));
            ask("privileges", () -> metadata.getTablePrivileges(null, "public", "segments"));
            ask("owned", () -> metadata.getColumnPrivileges(null, "public", "segments", "%"));
            ask("own types", () -> metadata.getUDTs(null, "public", "%", null));
            PreparedStatement prepared = connection.prepareStatement("select skill_id, array_agg(distinct outcome) from segments where skill_id = ? group by 1");
            prepared.setLong(1, 1);
            ResultSetMetaData columns = prepared.getMetaData();
            System.out.println("prepared " + columns.getColumnTypeName(1) + " " + columns.getColumnTypeName(2));
            ask("rows", prepared::executeQuery);
        }
    }
}
"#;

#[test]
fn pgjdbc_tells_what_there_is() {
    let test = "pgjdbc_tells_what_there_is";
    let java = foreign::is_here(test, "javac", "default-jdk-headless");
    let jar = "/usr/share/java/postgresql.jar";
    if !java {
        return;
    }
    let is_here = || fs::exists(jar).unwrap();
    if !is_here() {
        foreign::install("libpostgresql-jdbc-java");
    }
    if !is_here() {
        return skipped(test, "Debian's package libpostgresql-jdbc-java is not here and cannot be installed");
    }
    let (doors, folder) = (Doors::open(&[]), TempDir::new().unwrap());
    let source = folder.path().join("Metadata.java");
    fs::write(&source, METADATA).unwrap();
    let output =
        foreign::command("java").args(["-cp", jar]).arg(&source).arg(doors.postgresql.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(!told.contains("failed"), "{told}");
    for line in [
        "product PostgreSQL 16",
        "limits 63 32",
        "catalogs 1 |account-1",
        "tables 2 |null|public|open_conversations|TABLE|Every conversation that is open",
        "views 3 |null|public|metrics_by_5_minutes|VIEW",
        "columns 19 |null|public|segments|account_id|12|text",
        "primary 0",
        "imported 0",
        "exported 0",
        "indexes 0",
        "functions 3 |account-1|public|kill_query|Ends the statement",
        "prepared int8 _text",
        "rows 1 |1|{",
    ] {
        assert!(told.lines().any(|told| told.starts_with(line)), "{line} is not in:\n{told}");
    }
    let types = told.lines().find_map(|line| line.strip_prefix("types ")).unwrap();
    assert!(types.split(' ').next().unwrap().parse::<usize>().unwrap() > 50, "{types}");
}
