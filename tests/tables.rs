//! Small tables and views, from the command line to every door, with the tools that make and read them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Server, run, serve, stderr, succeed};
use crate::foreign;
use crate::python::Python;
use crate::sample;

const SKILLS: &str = "skill_id,name\n1,Billing\n2,Orders\n";

/// A folder with the sample in the data directory `data`, and names of skills in a file.
fn prepared() -> (TempDir, PathBuf, PathBuf) {
    let folder = TempDir::new().unwrap();
    let (data, skills) = (folder.path().join("data"), folder.path().join("skills.csv"));
    sample::import_into(&data);
    fs::write(&skills, SKILLS).unwrap();
    (folder, data, skills)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn import_table(data: &Path, arguments: &[&str]) -> Output {
    run([&["import", "table", "--data-dir", text(data)][..], arguments].concat())
}

#[track_caller]
fn imported(data: &Path, arguments: &[&str]) -> String {
    let output = import_table(data, arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn console(data: &Path, statement: &str) -> Output {
    run(["sql", "--data-dir", text(data), "--format", "csv", "-c", statement])
}

#[track_caller]
fn printed(data: &Path, statement: &str) -> String {
    let output = console(data, statement);
    assert!(output.status.success(), "{statement}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

const NAMED: &str = "select name, count(*) as n from segments join skills using (skill_id) group by name order by name";

#[test]
fn a_table_is_added_replaced_dropped_and_copied() {
    let (folder, data, skills) = prepared();
    assert_eq!(imported(&data, &["Skills", text(&skills)]), "skills: 2 rows, 2 columns");
    assert_eq!(printed(&data, NAMED), "name,n\nBilling,67\nOrders,54");
    fs::write(&skills, "skill_id,name\n2,Loans\n").unwrap();
    assert_eq!(imported(&data, &["skills", text(&skills), "--account", "account-1"]), "skills: 1 row, 2 columns");
    assert_eq!(printed(&data, NAMED), "name,n\nBilling,67\nOrders,54", "a session of all sees what is for all");
    let of_account = ["sql", "--data-dir", text(&data), "--account", "account-1", "--format", "csv", "-c", NAMED];
    assert_eq!(succeed(of_account).trim_end(), "name,n\nLoans,54");
    let copy = folder.path().join("copy");
    succeed(["backup", "--data-dir", text(&data), "--to", text(&copy), "--log", "warn"]);
    assert!(succeed(["check", "--data-dir", text(&copy)]).contains("nothing is wrong"));
    assert_eq!(printed(&copy, NAMED), "name,n\nBilling,67\nOrders,54");
    assert_eq!(printed(&data, "drop table skills"), "DROP TABLE");
    assert!(stderr(&console(&data, NAMED)).contains("skills"));
    assert_eq!(succeed(of_account).trim_end(), "name,n\nLoans,54", "the account's own stays");
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_name() {
    let (folder, data, skills) = prepared();
    for (content, reason) in [
        ("", "it is empty; its first line has the names of the columns"),
        ("skill_id,skill_id\n", "two columns have the name \"skill_id\""),
        ("skill_id,\n1,2\n", "column 2 has no name"),
        ("a,b\n1,2\n1\n", "line 3 has 1 fields, and the first line has 2"),
    ] {
        fs::write(&skills, content).unwrap();
        let output = import_table(&data, &["skills", text(&skills)]);
        assert_eq!(output.status.code(), Some(1));
        let told = stderr(&output);
        assert!(told.contains(&format!("cannot import {}: {reason}", text(&skills))), "{told}");
    }
    let unnamed = folder.path().join("names.txt");
    fs::write(&unnamed, SKILLS).unwrap();
    let output = import_table(&data, &["skills", text(&unnamed)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("say --format csv, arrow or parquet"));
    assert_eq!(imported(&data, &["skills", text(&unnamed), "--format", "csv"]), "skills: 2 rows, 2 columns");
    for name in ["segments", "metrics_by_hour", "pg_class", "a b", "1"] {
        let output = import_table(&data, &[name, text(&unnamed), "--format", "csv"]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", stderr(&output));
    }
    let missing = import_table(&data, &["skills", text(&folder.path().join("missing.csv"))]);
    assert!(stderr(&missing).contains("missing.csv"));
}

#[test]
fn every_format_is_read_also_compressed_and_from_standard_input() {
    let (folder, data, skills) = prepared();
    let file = folder.path().join("a.parquet");
    let copy = ["sql", "--data-dir", text(&data), "--out", text(&file), "-c"];
    succeed(copy.into_iter().chain(["select distinct skill_id, 'skill ' || skill_id as name from segments"]));
    assert_eq!(imported(&data, &["skills", text(&file)]), "skills: 6 rows, 2 columns");
    let first = "select name from skills order by skill_id limit 1";
    assert_eq!(printed(&data, first), "name\nskill 1");
    let compressed = folder.path().join("b.csv.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(fs::File::create(&compressed).unwrap(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, SKILLS.as_bytes()).unwrap();
    encoder.finish().unwrap();
    assert_eq!(imported(&data, &["skills", text(&compressed)]), "skills: 2 rows, 2 columns");
    let mut command =
        crate::binary::skillscope(["import", "table", "piped", "-", "--format", "csv", "--data-dir", text(&data)]);
    let output = command.stdin(fs::File::open(&skills).unwrap()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "piped: 2 rows, 2 columns\n", "{}", stderr(&output));
}

#[test]
fn a_server_takes_tables_and_views_and_keeps_them() {
    let (_folder, data, skills) = prepared();
    let server = Server::over(&data, &[]);
    let output = import_table(&data, &["skills", text(&skills)]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "skills: 2 rows, 2 columns\n");
    assert!(stderr(&output).contains("is open in the server at http://127.0.0.1:"), "{}", stderr(&output));
    succeed(["import", "table", "skills", text(&skills), "--account", "account-1", "--url", &server.url]);
    assert_eq!(server.sql(NAMED), json!([{ "name": "Billing", "n": 67 }, { "name": "Orders", "n": 54 }]));
    // The console asks the server.
    assert_eq!(printed(&data, "create view named as select name from skills"), "CREATE VIEW");
    assert_eq!(printed(&data, "select count(*) as n from named"), "n\n2");
    assert!(succeed(["check", "--data-dir", text(&data)]).contains("nothing is wrong"));
    drop(server);
    assert_eq!(printed(&data, "select count(*) as n from named"), "n\n2");
    let damaged = data.join("relations/all/named");
    fs::write(&damaged, "damaged").unwrap();
    let checked = run(["check", "--data-dir", text(&data)]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&checked.stdout).contains("relations/all/named is no table or view as it was written")
    );
    let server = Server::over(&data, &[]);
    assert_eq!(server.sql(NAMED).as_array().unwrap().len(), 2);
    assert!(data.join("quarantine/relations/all/named").exists());
}

#[test]
fn the_console_has_views_of_its_own_and_says_where_it_cannot_write() {
    let (_folder, data, _) = prepared();
    let script = "create temp view t as select 1 as x; select x from t; drop view t; drop view if exists t;";
    let output = console(&data, script);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "CREATE VIEW\nx\n1\nDROP VIEW\nDROP VIEW\n",
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).contains("NOTICE: view \"t\" does not exist, skipping"), "{}", stderr(&output));
    let archive = format!("{}/archive", text(&data));
    let refused = run(["sql", "--archive", &archive, "-c", "create view v as select 1 as x"]);
    assert!(stderr(&refused).contains("only statements that read are allowed here"), "{}", stderr(&refused));
}

/// A server over the sample, with names of skills for all, and PostgreSQL's port.
struct Doors {
    server: Server,
    port: u16,
    folder: TempDir,
}

impl Doors {
    fn open() -> Self {
        let (folder, data, skills) = prepared();
        imported(&data, &["skills", text(&skills)]);
        let options = ["--data-dir", text(&data), "--now", "2018-01-18T08:51:55.679Z", "--pg-listen", "127.0.0.1:0"];
        let mut server = Server::spawn(serve().args(options));
        let port = server.line().strip_prefix("postgresql://127.0.0.1:").unwrap().parse().unwrap();
        Self { server, port, folder }
    }

    /// Runs the statements of a script, one after the other.
    fn psql(&self, script: &str) -> Output {
        let mut command = foreign::command("psql");
        let (port, file) = (self.port.to_string(), self.folder.path().join("script.sql"));
        fs::write(&file, script).unwrap();
        command.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "analyst", "-p", &port]);
        command.args(["-d", "account-1", "-f", text(&file)]).env("PGCONNECT_TIMEOUT", "20").output().unwrap()
    }
}

#[test]
fn psql_makes_views_and_has_some_of_its_own() {
    if !foreign::is_here("psql_makes_views_and_has_some_of_its_own", "psql", "postgresql-client") {
        return;
    }
    let doors = Doors::open();
    let answer = |script: &str| {
        let output = doors.psql(script);
        assert!(output.status.success(), "{script}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let refusal = |script: &str| stderr(&doors.psql(script));
    assert_eq!(
        answer("create view named as select name, skill_id from skills; select name from named order by 1"),
        "Billing\nOrders\n"
    );
    assert_eq!(doors.server.sql("select count(*) as n from skills")[0]["n"], 2);
    assert!(refusal("create view named as select 1 as x").contains("relation \"named\" already exists"));
    assert_eq!(
        answer("begin; create or replace view named as select 'x;y' as a; commit; select a from named"),
        "x;y\n"
    );
    assert_eq!(answer("alter view named rename to other; select a from \"account-1\".public.other"), "x;y\n");
    assert_eq!(answer("create temporary view t as select 7 as n; select n from t; drop view t"), "7\n");
    assert!(refusal("select n from t").contains("t"));
    assert_eq!(answer("drop view if exists other cascade; drop view if exists other"), "");
    assert!(refusal("insert into skills values (1, 'x')").contains("rows are never changed in SQL"));
    let listed = doors.psql("create view for_list as select 1 as x");
    assert!(listed.status.success());
    assert!(answer("\\dv").contains("for_list"));
    assert!(answer("\\dt").contains("skills"));
}

/// Writes a dbt project of two models, one of which stands on the other, and a profile for the server.
fn write_project(folder: &Path, port: u16) {
    let files = [
        ("dbt_project.yml", "name: centre\nversion: '1.0'\nprofile: centre\nmodel-paths: [models]\nflags:\n  send_anonymous_usage_stats: false\nmodels:\n  centre:\n    +materialized: view\n".to_owned()),
        ("profiles.yml", format!("centre:\n  target: dev\n  outputs:\n    dev:\n      type: postgres\n      host: 127.0.0.1\n      port: {port}\n      user: analyst\n      password: none\n      dbname: account-1\n      schema: public\n      threads: 2\n")),
        ("models/by_skill.sql", "select s.skill_id, k.name, count(*) as segments\nfrom {{ source('centre', 'segments') }} s\nleft join {{ source('centre', 'skills') }} k using (skill_id)\ngroup by 1, 2\n".to_owned()),
        ("models/named.sql", "select * from {{ ref('by_skill') }} where name is not null\n".to_owned()),
        ("models/sources.yml", "version: 2\nsources:\n  - name: centre\n    schema: public\n    tables:\n      - name: segments\n      - name: skills\nmodels:\n  - name: named\n    columns:\n      - name: name\n        tests: [not_null, unique]\n".to_owned()),
    ];
    fs::create_dir(folder.join("models")).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

#[test]
fn dbt_runs_models_that_are_views() {
    let Some(python) = Python::with_tools("dbt_runs_models_that_are_views") else { return };
    let (doors, folder) = (Doors::open(), TempDir::new().unwrap());
    write_project(folder.path(), doors.port);
    let dbt = |arguments: &[&str]| {
        let mut command = Command::new(python.program().with_file_name("dbt"));
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("HOME", folder.path()).env("DO_NOT_TRACK", "1").stdin(Stdio::null()).current_dir(folder.path());
        command.args(arguments).args(["--profiles-dir", ".", "--no-use-colors"]);
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "dbt {arguments:?}: {told}{}", stderr(&output));
        told
    };
    assert!(dbt(&["debug"]).contains("All checks passed"));
    // The second time, dbt finds its views, and replaces them.
    for _ in 0..2 {
        assert!(dbt(&["run"]).contains("PASS=2"));
    }
    assert!(dbt(&["test"]).contains("PASS=2"));
    dbt(&["docs", "generate"]);
    let catalog = fs::read_to_string(folder.path().join("target/catalog.json")).unwrap();
    let catalog: Value = serde_json::from_str(&catalog).unwrap();
    let documented = |kind: &str, name: &str| {
        let found = &catalog[kind][name];
        let columns = found["columns"].as_object().unwrap().values();
        let columns: Vec<Value> = columns.map(|column| json!([column["name"], column["type"]])).collect();
        json!([found["metadata"]["type"], columns])
    };
    let columns = json!([["name", "text"], ["segments", "bigint"], ["skill_id", "bigint"]]);
    assert_eq!(documented("nodes", "model.centre.named"), json!(["VIEW", columns]));
    let columns = json!([["name", "text"], ["skill_id", "bigint"]]);
    assert_eq!(documented("sources", "source.centre.centre.skills"), json!(["BASE TABLE", columns]));
    let body = json!({ "account": "account-1", "query": "select name, segments from named order by 1" }).to_string();
    let (status, rows) = doors.server.post("/v1/sql", "application/json", body.as_bytes());
    assert_eq!(status, 200, "{rows}");
    let rows: Value = serde_json::from_str(&rows).unwrap();
    assert_eq!(rows, json!([{ "name": "Billing", "segments": 67 }, { "name": "Orders", "segments": 54 }]));
}

#[test]
fn ibis_reads_tables_and_joins_names() {
    let Some(python) = Python::with_tools("ibis_reads_tables_and_joins_names") else { return };
    let doors = Doors::open();
    let script = r#"
import sys, json, ibis
connection = ibis.postgres.connect(host="127.0.0.1", port=int(sys.argv[1]), user="analyst", password="none", database="account-1")
tables = connection.list_tables()
segments, skills = connection.table("segments"), connection.table("skills")
joined = segments.join(skills, "skill_id").group_by("name").aggregate(n=lambda t: t.count()).order_by("name")
rows = joined.execute().to_dict("records")
print(json.dumps({"tables": [name in tables for name in ("segments", "skills")], "rows": rows,
                  "type": str(skills.schema()["skill_id"])}))
"#;
    let answers: Value = serde_json::from_str(&python.run(script, &[&doors.port.to_string()])).unwrap();
    let named = json!([{ "name": "Billing", "n": 67 }, { "name": "Orders", "n": 54 }]);
    assert_eq!(answers, json!({ "tables": [true, true], "rows": named, "type": "int64" }));
}
