//! What tools ask when they look around: `tests/introspection` has a file for each tool.

use std::fs;
use std::path::PathBuf;

use super::super::catalog::number_of_relation;
use super::client::{Server, in_time};

/// The statements of a tool, with the numbers of our tables where it has those of its own.
fn statements(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let numbers = [
        ("{segments}", "public", "segments"),
        ("{view}", "public", "metrics_by_hour"),
        ("{queries}", "system", "queries"),
    ];
    let text = numbers
        .into_iter()
        .fold(text, |text, (mark, schema, name)| text.replace(mark, &number_of_relation(schema, name).to_string()));
    text.split(";\n\n").map(|statement| statement.trim().trim_end_matches(';').to_owned()).collect()
}

#[tokio::test]
async fn tools_look_around() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/introspection");
    let server = Server::new();
    let (mut asked, mut failures) = (0, Vec::new());
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    for file in files {
        let mut client = server.open("acme").await;
        for statement in statements(&fs::read_to_string(&file).unwrap()) {
            asked += 1;
            let answers = client.query(&statement).await;
            if let Some(error) = answers.iter().find(|answer| answer.kind == 'E') {
                failures.push(format!("{}: {:?}\n{statement}", file.file_name().unwrap().display(), error.error()));
            }
        }
    }
    assert!(asked > 300, "{asked} statements");
    assert!(failures.is_empty(), "{} of {asked} fail:\n{}", failures.len(), failures.join("\n\n"));
}

/// What a client is told in the first column of a statement's rows.
async fn column(server: &Server, database: &str, statement: &str) -> Vec<Option<String>> {
    let mut client = server.open(database).await;
    let answers = client.query(statement).await;
    if let Some(error) = answers.iter().find(|answer| answer.kind == 'E') {
        panic!("{statement}: {:?}", error.error());
    }
    answers.iter().filter(|answer| answer.kind == 'D').map(super::client::Answer::text).collect()
}

#[tokio::test]
async fn the_catalog_and_the_standard_views_tell_the_same() {
    let server = Server::new();
    // A column has the type that its rows are told in, in both.
    let different = "select c.table_name || '.' || c.column_name || ': ' || c.udt_name || ', ' || t.typname \
        from information_schema.columns c join pg_namespace n on n.nspname = c.table_schema \
        join pg_class r on r.relnamespace = n.oid and r.relname = c.table_name \
        join pg_attribute a on a.attrelid = r.oid and a.attname = c.column_name and a.attnum = c.ordinal_position \
        join pg_type t on t.oid = a.atttypid \
        where c.table_schema in ('public', 'system') and c.udt_name <> t.typname";
    assert_eq!(column(&server, "acme", different).await, []);
    let counts = "select count(*)::text from information_schema.columns where table_schema in ('public', 'system') union all \
        select count(*)::text from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace \
        where nspname in ('public', 'system')";
    let counts = column(&server, "acme", counts).await;
    assert_eq!(counts[0], counts[1]);
    let kinds = "select relname::text || ' ' || relkind || ' ' || table_type from pg_class join information_schema.tables on relname = table_name \
        where table_schema = 'public' and relname in ('segments', 'metrics_by_hour') order by 1";
    let kinds = column(&server, "acme", kinds).await;
    assert_eq!(kinds, [Some("metrics_by_hour v VIEW".to_owned()), Some("segments r BASE TABLE".to_owned())]);
}

#[tokio::test]
async fn numbers_are_the_same_in_every_database_and_after_a_restart() {
    let numbers = "select string_agg(nspname || '.' || relname || ' ' || c.oid, ', ' order by nspname, relname) \
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where nspname <> 'information_schema'";
    let (first, second) = (Server::new(), Server::new());
    let told = column(&first, "acme", numbers).await;
    assert_eq!(column(&first, "bolt", numbers).await, told);
    assert_eq!(column(&second, "skillscope", numbers).await, told);
    let repeated = "select oid from pg_class group by oid having count(*) > 1";
    assert_eq!(column(&first, "acme", repeated).await, []);
    let beyond = "select relname from pg_class where oid < 1 or oid >= 2147483648";
    assert_eq!(column(&first, "acme", beyond).await, []);
}

#[tokio::test]
async fn objects_have_numbers_and_names() {
    let server = Server::new();
    for (statement, expected) in [
        ("select 'public.segments'::regclass = to_regclass('segments')", Some("t")),
        ("select to_regclass('nothing')", None),
        ("select 'pg_catalog.pg_class'::regclass::oid", Some("1259")),
        ("select 1184::regtype", Some("timestamp with time zone")),
        ("select to_regtype('hstore')", None),
        ("select 'system.queries'::regclass", Some("system.queries")),
        ("select 'public'::regnamespace::oid", Some("2200")),
        (
            "select obj_description('segments'::regclass)",
            Some("Every closed segment, whether it is in memory or in the archive."),
        ),
        ("select col_description('segments'::regclass, 15)", Some("Messages by assigned agents.")),
        ("select col_description('segments'::regclass, 4)", Some("The skill; -1 for conversations without a skill.")),
        ("select obj_description('system.files'::regclass, 'pg_class')", Some("The Parquet files of the archive.")),
        (
            "select string_agg(c.relname || '.' || a.attname, ', ') from pg_class c \
             join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid \
             left join pg_description d on d.objoid = c.oid and d.objsubid = a.attnum \
             where n.nspname in ('public', 'system') and d.description is null",
            None,
        ),
        (
            "select obj_description(oid, 'pg_proc') from pg_proc where proname = 'report_segments'",
            Some("The segments that a figure of the report counts."),
        ),
        ("select pg_get_serial_sequence('segments', 'skill_id')", None),
        ("select pg_table_is_visible('segments'::regclass)", Some("t")),
        ("select pg_table_is_visible('system.queries'::regclass)", Some("f")),
        ("select current_database() || ' ' || current_user || ' ' || current_schema", Some("acme a public")),
        ("select current_schemas(true)", Some("{pg_catalog,public}")),
        ("select version()", Some(concat!("PostgreSQL 16.6 (skillscope ", env!("CARGO_PKG_VERSION"), ")"))),
        ("select current_setting('server_version_num')::int / 100", Some("1600")),
        ("select current_setting('nothing', true)", None),
        ("select setting from pg_settings where name = 'max_index_keys'", Some("32")),
        ("select pg_is_in_recovery()", Some("f")),
        ("select proargtypes from pg_proc where proname = 'array_in'", Some("2275 26 23")),
        ("select typinput::regproc from pg_type where typname = '_text'", Some("array_in")),
        ("select count(*) from pg_index", Some("0")),
        ("select arrow_typeof(1::float)", Some("Float64")),
    ] {
        let told = column(&server, "acme", statement).await;
        assert_eq!(told, [expected.map(str::to_owned)], "{statement}");
    }
}

#[tokio::test]
async fn a_session_sees_its_own_database_alone() {
    let server = Server::new();
    assert_eq!(column(&server, "acme", "select datname from pg_database").await, [Some("acme".to_owned())]);
    assert_eq!(column(&server, "skillscope", "select datname from pg_database").await, [Some("skillscope".to_owned())]);
}

#[tokio::test]
async fn a_subquery_that_refers_to_the_query_around_it_has_its_value() {
    let server = Server::new();
    let statement = "select (select typname from pg_type t where t.oid = a.atttypid)::text from pg_attribute a \
        where a.attrelid = 'segments'::regclass and attname = 'end_time'";
    assert_eq!(column(&server, "acme", statement).await, [Some("timestamptz".to_owned())]);
}

#[tokio::test]
async fn columns_of_all_views_are_told_however_many_there_are() {
    let server = Server::new();
    let mut client = server.open("skillscope").await;
    let views: Vec<String> =
        (0..220).map(|number| format!("create view v{number} as select 1 as a, 'x' as b;")).collect();
    in_time(client.query(&views.concat())).await;
    // A name that is a constant is looked up while the statement is planned.
    for condition in ["true", "'v7'::regclass is not null"] {
        let text = format!(
            "select count(*) from pg_attribute a join pg_class c on c.oid = a.attrelid \
             where c.relname ~ '^v[0-9]+$' and {condition}"
        );
        assert_eq!(in_time(client.transcript(&text)).await, "440 [SELECT 1]", "{condition}");
    }
}
