//! What tools are told of tables and types, compared with PostgreSQL 15's own answers about a table of the same shape.

use crate::binary::stderr;
use crate::clients::Doors;
use crate::foreign;
use crate::real_postgresql::RealPostgresql;

/// A table of the same shape as `segments`, in which there are no rows.
const SHAPE: &str = "create table segments (
    account_id text not null, conversation_id text not null, segment_index bigint not null, skill_id bigint not null,
    start_time timestamptz not null, end_time timestamptz not null, start_reason text not null, end_reason text not null,
    user_type text not null, outcome text not null, abandoned_in_queue boolean not null, first_assigned_time timestamptz,
    first_agent_message_time timestamptz, time_to_first_agent_message_ms bigint, agent_messages bigint not null,
    consumer_messages bigint not null, last_agent_id text, source text, arrival_time timestamptz);";

/// Questions that have one answer, whoever is asked.
const QUESTIONS: [&str; 15] = [
    "\\d segments",
    // JDBC, Metabase, Grafana and Power BI.
    "select column_name, ordinal_position, column_default, is_nullable, data_type, character_maximum_length,
        character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision,
        udt_schema, udt_name, is_identity, is_generated, dtd_identifier
        from information_schema.columns where table_schema = 'public' and table_name = 'segments' order by ordinal_position",
    "select table_schema, table_name, table_type, is_typed from information_schema.tables where table_name = 'segments'",
    "select count(*) from information_schema.table_constraints where table_name = 'segments' and constraint_type <> 'CHECK'",
    "select attname, attnum, atttypid, atttypid::regtype, format_type(atttypid, atttypmod), attlen, attbyval, attalign,
        attstorage, attndims, attnotnull, atthasdef, attidentity, attgenerated, attisdropped, attislocal, attcollation
        from pg_attribute where attrelid = 'segments'::regclass and attnum > 0 order by attnum",
    "select c.relname, n.nspname, relkind, relpersistence, relnatts, relchecks, relhasindex, relhasrules, relispartition
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relname = 'segments'",
    // Drivers read types by their numbers.
    "select oid, typname, typlen, typbyval, typtype, typcategory, typdelim, typelem, typarray, typnotnull, typbasetype,
        typinput::regproc, typreceive::regproc, format_type(oid, null)
        from pg_type where oid in (16, 17, 18, 19, 20, 21, 22, 23, 25, 26, 700, 701, 1000, 1005, 1007, 1009, 1016, 1042, 1043,
        1082, 1083, 1114, 1115, 1184, 1185, 1186, 1231, 1700, 2249, 2950) order by oid",
    "select 'bigint'::regtype::oid, 'timestamp with time zone'::regtype, 'int4[]'::regtype::oid, to_regtype('varchar')::oid",
    "select to_regclass('segments') is null, to_regclass('nothing') is null, to_regtype('nothing') is null",
    "select nspname from pg_namespace where oid in (11, 2200) order by oid",
    "select oid::regclass::text from pg_class where oid in (1247, 1249, 1255, 1259, 2615) order by oid",
    "select current_schemas(true), current_schemas(false), current_schema()",
    "select has_table_privilege('segments', 'select'), pg_table_is_visible('segments'::regclass), pg_is_in_recovery()",
    "select p.proname, p.proargtypes, p.prorettype::regtype, pg_get_function_result(p.oid) from pg_proc p
        where p.oid in (750, 1598, 1299, 870) order by oid",
    "select (information_schema._pg_expandarray(i.indkey)).n from pg_index i where i.indrelid = 'segments'::regclass",
];

#[test]
fn answers_about_tables_are_those_of_postgresql() {
    let test = "answers_about_tables_are_those_of_postgresql";
    if !foreign::is_here(test, "psql", "postgresql-client") {
        return;
    }
    let Some(postgresql) = RealPostgresql::start(test) else { return };
    postgresql.run(SHAPE);
    let doors = Doors::open(&[]);
    let mut different = Vec::new();
    for question in QUESTIONS {
        let output = doors.psql("account-1").args(["-At", "-c", question]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        let expected = postgresql.run(&format!("{question}{}", if question.starts_with('\\') { "\n" } else { ";\n" }));
        if told.trim_end() != expected.trim_end() {
            different.push(format!("{question}\n--- PostgreSQL 15\n{expected}--- skillscope\n{told}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn psql_shows_what_there_is() {
    let test = "psql_shows_what_there_is";
    if !foreign::is_here(test, "psql", "postgresql-client") {
        return;
    }
    let doors = Doors::open(&[]);
    for (command, parts) in [
        ("\\l", &["account-1|skillscope|UTF8|"][..]),
        ("\\dt+", &["public|segments|table|skillscope|permanent|heap|0 bytes|Every closed segment"]),
        ("\\dv", &["public|metrics_by_hour|view|skillscope"]),
        ("\\d system.*", &["elapsed_ms|numeric|"]),
        ("\\dn+", &["public|skillscope|", "system|skillscope|"]),
        ("\\du", &["analyst|"]),
        (
            "\\df+",
            &["public|skill_report|SETOF record|account text, now timestamp with time zone", "Ends the statement"],
        ),
        ("\\sf skill_report", &["CREATE OR REPLACE FUNCTION public.skill_report(account text"]),
        (
            "\\sv metrics_by_hour",
            &["CREATE OR REPLACE VIEW public.metrics_by_hour AS", "group by account_id, skill_id"],
        ),
        (
            "\\d+ open_conversations",
            &[
                "waiting_since|timestamp with time zone||||plain|||When it began to wait for an agent; null while one is assigned.",
            ],
        ),
        ("\\dp segments", &["public|segments|table|"]),
        ("\\d+ segments", &["agent_messages|bigint||not null||plain|||Messages by assigned agents."]),
    ] {
        let output = doors.psql("account-1").args(["-At", "-c", command]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        for part in parts {
            assert!(told.contains(part), "{command} has no {part}: {told}");
        }
    }
    // Whoever sees all accounts is told of them, and of the database for all.
    let all =
        doors.psql("skillscope").args(["-At", "-c", "select datname from pg_database order by 1"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&all.stdout), "account-1\nskillscope\n");
}
