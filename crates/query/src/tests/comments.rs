//! What is said of tables and columns.

use arrow::array::AsArray;

use super::world::World;
use crate::comments_on;

#[tokio::test]
async fn every_table_and_column_of_ours_has_a_comment() {
    let world = World::new(0, &[]);
    let columns = "select table_schema, table_name, column_name from information_schema.columns \
                   where table_schema in ('public', 'system')";
    let mut told = 0;
    for batch in world.sql(columns, None).await.unwrap() {
        let text = |column: usize, row| batch.column(column).as_string::<i32>().value(row);
        for row in 0..batch.num_rows() {
            let (schema, table, column) = (text(0, row), text(1, row), text(2, row));
            let comments = comments_on(schema, table).unwrap_or_else(|| panic!("{schema}.{table} has no comments"));
            let of_column = comments.column(column);
            let of_column = of_column.unwrap_or_else(|| panic!("{schema}.{table}.{column} has no comment"));
            assert!(
                comments.table.ends_with('.') && of_column.ends_with('.'),
                "{schema}.{table}.{column}: {of_column}"
            );
            told += 1;
        }
    }
    assert!(told > 60, "{told} columns");
    assert!(comments_on("public", "files").is_none() && comments_on("information_schema", "tables").is_none());
}

#[tokio::test]
async fn information_schema_has_the_comments_at_the_end() {
    let world = World::new(0, &[]);
    for (question, comment) in [
        (
            "select column_comment from information_schema.columns where table_name = 'segments' and column_name = 'skill_id'",
            "The skill; -1 for conversations without a skill.",
        ),
        (
            "select table_comment from information_schema.tables where table_name = 'segments'",
            "Every closed segment, whether it is in memory or in the archive.",
        ),
        (
            "select column_comment from information_schema.columns where table_name = 'accounts' and column_name = 'account_id'",
            "The account.",
        ),
    ] {
        let rows = world.sql(question, None).await.unwrap();
        let told: Vec<_> = rows.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter()).collect();
        assert_eq!(told, [Some(comment)], "{question}");
    }
}
