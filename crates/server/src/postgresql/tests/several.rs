//! Texts with several statements, with one, and with none.

use super::client::{Server, in_time};

#[tokio::test]
async fn the_statements_of_a_text_are_a_transaction() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    for (text, expected) in [
        ("", "[]"),
        (" ;; -- nothing", "[]"),
        ("select 1; select 2", "1 [SELECT 1] 2 [SELECT 1]"),
        ("select 1; select 1/0; select 3", "1 [SELECT 1] ERROR 22012"),
        ("select 1; selec 2", "ERROR 42601"),
        // What a part of it has set is gone with the rest.
        ("set application_name = 'x'; select 1/0", "[SET] ERROR 22012"),
        ("show application_name", " [SHOW]"),
        ("set local application_name = 'x'; show application_name", "[SET] x [SHOW]"),
        ("show application_name", " [SHOW]"),
        ("set local application_name = 'x'", "WARNING 25P01 [SET]"),
        ("begin; select 1; rollback; select 2", "[BEGIN] 1 [SELECT 1] [ROLLBACK] 2 [SELECT 1]"),
        ("select 1; commit; select 2", "1 [SELECT 1] WARNING 25P01 [COMMIT] 2 [SELECT 1]"),
        ("select 1; savepoint s", "1 [SELECT 1] ERROR 25P01"),
        ("close all; unlisten *; reset all;", "[CLOSE CURSOR ALL] [UNLISTEN] [RESET]"),
        ("listen x", "NOTICE 00000 [LISTEN]"),
        ("lock table segments", "ERROR 0A000"),
        ("vacuum", "ERROR 0A000"),
        ("prepare p(int) as select $1 + 1; execute p(41)", "[PREPARE] 42 [SELECT 1]"),
        ("prepare p as select 1", "ERROR 42P05"),
        ("execute p", "ERROR 42601"),
        ("execute p(generate_series(1, 3))", "ERROR 0A000"),
        ("execute p('x')", "ERROR 22000"),
        ("deallocate p; execute p(1)", "[DEALLOCATE] ERROR 26000"),
        ("deallocate nope", "ERROR 26000"),
        ("prepare t as select $1 || 'b'; execute t('a'); deallocate all", "[PREPARE] ab [SELECT 1] [DEALLOCATE ALL]"),
        ("discard temp; discard plans; discard sequences", "[DISCARD TEMP] [DISCARD PLANS] [DISCARD SEQUENCES]"),
        ("copy (select 1 union all select 2) to stdout csv header", "[COPY 2]"),
        ("begin; discard all", "[BEGIN] ERROR 25001"),
        ("rollback", "[ROLLBACK]"),
    ] {
        assert_eq!(in_time(client.transcript(text)).await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_plan_has_an_estimate_in_its_first_line() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    for text in [
        "explain select 1",
        "EXPLAIN (VERBOSE, COSTS off) select 1",
        "explain analyze select 1",
        "explain (select 1)",
        "explain (format text) values (1)",
    ] {
        let answers = in_time(client.query(text)).await;
        let first = answers.iter().find_map(|answer| answer.text()).unwrap();
        // As postgres_fdw reads it.
        assert!(first.ends_with("(cost=100.00..1100.00 rows=1000 width=64)"), "{text}: {first}");
        assert!(answers.iter().filter(|answer| answer.kind == 'D').count() > 1, "{text}");
    }
    assert_eq!(in_time(client.transcript("explain (format json) select 1")).await, "ERROR 0A000");
    assert_eq!(in_time(client.transcript("explain (colour) select 1")).await, "ERROR 42601");
}
