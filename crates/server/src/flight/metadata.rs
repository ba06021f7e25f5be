//! What clients ask about the server: its abilities, schemas and tables.

use std::sync::LazyLock;

use arrow::array::{AsArray, RecordBatch};
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{CommandGetDbSchemas, CommandGetTables, SqlInfo};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use futures::TryStreamExt;
use skillscope_query::{Error, SqlSession};
use tonic::Status;

use super::error::status;

/// The abilities of the server, in the numbers of Flight SQL.
pub(super) static SQL_INFO: LazyLock<Option<SqlInfoData>> = LazyLock::new(|| {
    let mut builder = SqlInfoDataBuilder::new();
    builder.append(SqlInfo::FlightSqlServerName, "skillscope");
    builder.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    builder.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
    builder.append(SqlInfo::FlightSqlServerReadOnly, true);
    builder.append(SqlInfo::FlightSqlServerSql, true);
    builder.append(SqlInfo::FlightSqlServerSubstrait, false);
    builder.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    builder.build().ok()
});

/// The schemas that a session sees.
pub(super) async fn schemas(session: &SqlSession, command: CommandGetDbSchemas) -> Result<RecordBatch, Status> {
    let mut builder = command.into_builder();
    let text = "select distinct table_catalog, table_schema from information_schema.tables order by 1, 2";
    for row in texts(session, text).await? {
        if let [catalog, schema] = row.as_slice() {
            builder.append(catalog, schema);
        }
    }
    Ok(builder.build()?)
}

/// The tables and views that a session sees, with their columns where the client asks for them.
pub(super) async fn tables(session: &SqlSession, command: CommandGetTables) -> Result<RecordBatch, Status> {
    let has_columns = command.include_schema;
    let mut builder = command.into_builder();
    let text =
        "select table_catalog, table_schema, table_name, table_type from information_schema.tables order by 1, 2, 3";
    for row in texts(session, text).await? {
        let [catalog, schema, table, kind] = row.as_slice() else { continue };
        let columns = if has_columns {
            let described = session.describe(&format!("select * from {schema}.{table}")).await.map_err(status)?;
            described.schema.as_ref().clone()
        } else {
            arrow::datatypes::Schema::empty()
        };
        builder.append(catalog, schema, table, kind, &columns)?;
    }
    Ok(builder.build()?)
}

/// The kinds of tables.
pub(super) const TABLE_TYPES: [&str; 2] = ["BASE TABLE", "VIEW"];

/// The rows of a statement whose columns are all text.
async fn texts(session: &SqlSession, text: &str) -> Result<Vec<Vec<String>>, Status> {
    let batches: Vec<RecordBatch> = async { session.run(text, Vec::new()).await?.try_collect().await }
        .await
        .map_err(|error: Error| status(error))?;
    let mut rows = Vec::new();
    for batch in batches {
        let columns = batch.columns().iter().map(|column| cast(column, &DataType::Utf8));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(arrow_flight::error::FlightError::from)?;
        let row = |row| columns.iter().map(|column| column.as_string::<i32>().value(row).to_owned()).collect();
        rows.extend((0..batch.num_rows()).map(row));
    }
    Ok(rows)
}
