//! Transactions and savepoints. What is expected is what PostgreSQL 15 says to the same statements.

use super::client::{Server, in_time};

#[tokio::test]
async fn savepoints_are_made_released_and_gone_back_to() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    for (statement, expected) in [
        ("savepoint a", "ERROR 25P01"),
        ("release a", "ERROR 25P01"),
        ("rollback to a", "ERROR 25P01"),
        ("commit", "WARNING 25P01 [COMMIT]"),
        ("rollback", "WARNING 25P01 [ROLLBACK]"),
        ("end", "WARNING 25P01 [COMMIT]"),
        ("abort", "WARNING 25P01 [ROLLBACK]"),
        ("begin", "[BEGIN]"),
        ("begin", "WARNING 25001 [BEGIN]"),
        ("commit and chain", "[COMMIT]"),
        ("savepoint x", "[SAVEPOINT]"),
        ("savepoint y", "[SAVEPOINT]"),
        ("rollback to x", "[ROLLBACK]"),
        ("rollback to y", "ERROR 3B001"),
        ("select 1", "ERROR 25P02"),
        ("rollback to savepoint x", "[ROLLBACK]"),
        ("select 1", "1 [SELECT 1]"),
        ("release x", "[RELEASE]"),
        ("release x", "ERROR 3B001"),
        ("savepoint z", "ERROR 25P02"),
        ("begin", "ERROR 25P02"),
        ("commit", "[ROLLBACK]"),
        ("commit and chain", "ERROR 25P01"),
        (
            "begin; savepoint a; declare c cursor for select 1; rollback to a; fetch c",
            "[BEGIN] [SAVEPOINT] [DECLARE CURSOR] [ROLLBACK] ERROR 34000",
        ),
        ("rollback", "[ROLLBACK]"),
        (
            "begin; savepoint a; declare c cursor for select 1; release a; savepoint a; rollback to a; fetch c; commit",
            "[BEGIN] [SAVEPOINT] [DECLARE CURSOR] [RELEASE] [SAVEPOINT] [ROLLBACK] 1 [FETCH 1] [COMMIT]",
        ),
        ("prepare transaction 'x'", "ERROR 55000"),
        (
            "begin; set application_name = 'a'; savepoint s; set application_name = 'b'; rollback to s; show application_name",
            "[BEGIN] [SET] [SAVEPOINT] [SET] [ROLLBACK] a [SHOW]",
        ),
        ("rollback; show application_name", "[ROLLBACK]  [SHOW]"),
    ] {
        assert_eq!(in_time(client.transcript(statement)).await, expected, "{statement}");
    }
    assert_eq!(server.memory.taken(), 0);
}

#[tokio::test]
async fn transactions_have_modes() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    for (statement, expected) in [
        ("start transaction isolation level repeatable read", "[START TRANSACTION]"),
        ("show transaction_isolation", "repeatable read [SHOW]"),
        ("set transaction isolation level serializable, read only", "[SET]"),
        ("show transaction isolation level", "serializable [SHOW]"),
        ("show transaction_read_only", "on [SHOW]"),
        ("commit", "[COMMIT]"),
        ("show transaction_isolation", "read committed [SHOW]"),
        ("set transaction read only", "WARNING 25P01 [SET]"),
        ("set session characteristics as transaction isolation level serializable", "[SET]"),
        ("show transaction_isolation", "serializable [SHOW]"),
        ("begin; show transaction_isolation; commit", "[BEGIN] serializable [SHOW] [COMMIT]"),
    ] {
        assert_eq!(in_time(client.transcript(statement)).await, expected, "{statement}");
    }
}

#[tokio::test]
async fn a_transaction_has_only_so_many_savepoints() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.query("begin").await;
    // As pgJDBC makes one before each statement.
    let many = "savepoint PGJDBC_AUTOSAVE;".repeat(1_000);
    for _ in 0..10 {
        let answers = in_time(client.query(&many)).await;
        assert!(answers.iter().all(|answer| answer.kind == 'C'));
    }
    assert_eq!(client.transcript("savepoint s").await, "ERROR 54000");
    assert_eq!(client.transcript("rollback to pgjdbc_autosave").await, "[ROLLBACK]");
    client.query("commit").await;
    assert_eq!(server.memory.taken(), 0);
}
