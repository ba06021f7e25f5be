//! SQL over an archive, and its limits.

use std::path::Path;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use skillscope_query::{Error as QueryError, Scope, SqlLimits};
use skillscope_segment::AccountId;
use tempfile::TempDir;

use super::world::{rows, store, write};
use crate::{Archive, ArchiveSql, Error, Location, PlanRunner, Result};

/// A statement that takes longer than any test.
const ENDLESS: &str =
    "select count(*) from generate_series(1, 1000000) a, generate_series(1, 1000000) b where a.value <> b.value + 3";

async fn sql(archive: &Path, scope: Scope, limits: SqlLimits) -> ArchiveSql {
    let archive = Archive::open(Location::Folder(archive.to_owned()), false).await.unwrap();
    ArchiveSql::new(archive, PlanRunner::local().unwrap(), &scope, limits).await.unwrap()
}

/// The value of a statement with one row and column.
async fn number(sql: &ArchiveSql, text: &str) -> Result<i64> {
    let mut rows = sql.run(text).await?;
    let mut numbers = Vec::new();
    while let Some(batch) = rows.next().await? {
        numbers.extend(batch.column(0).as_primitive::<Int64Type>().values().iter().copied());
    }
    assert_eq!(numbers.len(), 1);
    Ok(numbers[0])
}

#[tokio::test]
async fn a_folder_and_a_data_directory_answer_the_same_statement() {
    let rows = rows(1_000, 4);
    let (folder, directory) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    write(&folder.path().join("a.parquet"), &rows, 300);
    drop(store(directory.path(), &rows));
    let one = Scope::Account(AccountId::parse("account-1").unwrap());
    let mut counts = Vec::new();
    for archive in [folder.path(), directory.path()] {
        let (all, own) = (Scope::All, one.clone());
        let all = sql(archive, all, SqlLimits::default()).await;
        assert_eq!(number(&all, "select count(*) from segments").await.unwrap(), 1_000);
        // One reader at a time has a data directory open.
        drop(all);
        let own = sql(archive, own, SqlLimits::default()).await;
        assert_eq!(number(&own, "select count(distinct account_id) from segments").await.unwrap(), 1);
        counts.push(number(&own, "select count(*) from public.segments where outcome = 'interactive'").await.unwrap());
        let written = number(&own, "drop table segments").await.unwrap_err();
        assert!(matches!(written, Error::Query(QueryError::ReadOnly)), "{written}");
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] > 0);
}

#[tokio::test]
async fn a_statement_over_an_archive_ends_at_its_limits() {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("a.parquet"), &rows(100, 4), 100);
    let limits = SqlLimits { time: Duration::from_millis(300), ..SqlLimits::default() };
    let error = number(&sql(folder.path(), Scope::All, limits).await, ENDLESS).await.unwrap_err();
    assert!(matches!(error, Error::Query(QueryError::TimeLimit { .. })), "{error}");

    let spill = TempDir::new().unwrap();
    let limits = SqlLimits {
        memory_bytes: 20 << 20,
        spill_folder: Some(spill.path().to_owned()),
        spill_bytes: 1 << 20,
        ..SqlLimits::default()
    };
    // Some 80 MB to sort.
    let sort = "select count(*) from (select lag(repeat('x', 10)) over (order by value * 7919 % 1000003, value) as before \
                from generate_series(1, 3000000)) s where before is not null";
    let error = number(&sql(folder.path(), Scope::All, limits).await, sort).await.unwrap_err();
    assert!(matches!(error, Error::Query(QueryError::OutOfMemory)), "{error}");
}

#[tokio::test]
async fn a_statement_over_an_archive_ends_when_its_rows_are_dropped() {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("a.parquet"), &rows(100, 4), 100);
    let limits = SqlLimits { running: 1, patience: Duration::from_millis(200), ..SqlLimits::default() };
    let sql = sql(folder.path(), Scope::All, limits).await;
    // It takes longer than any test.
    let endless = "select count(*) from generate_series(1, 1000000) a, generate_series(1, 1000000) b \
                   where a.value <> b.value + 3";
    let taken = sql.run(endless).await.unwrap();
    let error = number(&sql, "select count(*) from segments").await.unwrap_err();
    assert!(matches!(error, Error::Query(QueryError::TooManyQueries { running: 1 })), "{error}");
    drop(taken);
    // The place is free again, soon.
    let free_again = async { while number(&sql, "select count(*) from segments").await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(60), free_again).await.unwrap();
}

#[tokio::test]
async fn a_statement_over_an_archive_knows_the_time() {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("a.parquet"), &rows(100, 4), 100);
    let sql = sql(folder.path(), Scope::All, SqlLimits::default()).await;
    let past = "select count(*) from segments where end_time < now() and end_time < current_timestamp";
    assert_eq!(number(&sql, past).await.unwrap(), 100);
    assert_eq!(number(&sql, "select count(*) from (select now() as n) t where n is not null").await.unwrap(), 1);
}

#[tokio::test]
async fn an_archive_may_have_a_folder_for_each_of_very_many_accounts() {
    let folder = TempDir::new().unwrap();
    let rows = rows(10, 1);
    let others: Vec<usize> =
        (0..rows.num_columns()).filter(|i| rows.schema().field(*i).name() != "account_id").collect();
    let rows = rows.project(&others).unwrap();
    for account in 0..1_700 {
        let own = folder.path().join(format!("account_id=brand-{account}"));
        std::fs::create_dir(&own).unwrap();
        write(&own.join("a.parquet"), &rows, 10);
    }
    let sql = sql(folder.path(), Scope::All, SqlLimits::default()).await;
    assert_eq!(number(&sql, "select count(*) from segments").await.unwrap(), 17_000);
    let twice = "select count(*) from segments where account_id in (select max(account_id) from segments)";
    assert_eq!(number(&sql, twice).await.unwrap(), 10);
}
