//! What clients ask about the server's schemas and tables.

use std::collections::HashMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Field, Schema};
use arrow_flight::sql::{CommandGetDbSchemas, CommandGetTables};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use futures::TryStreamExt;
use skillscope_query::{Error, SqlSession, comments_on};
use tonic::Status;

use super::error::status;
use crate::postgresql::type_name;

/// The schemas that a session sees.
pub(super) async fn schemas(session: &SqlSession, command: CommandGetDbSchemas) -> Result<RecordBatch, Status> {
    let mut builder = command.into_builder();
    let text = "select distinct table_catalog, table_schema from information_schema.tables order by 1, 2";
    for row in texts(session, text, Vec::new()).await? {
        if let [catalog, schema] = row.as_slice() {
            builder.append(catalog, schema);
        }
    }
    Ok(builder.build()?)
}

/// The tables and views that a session sees, with their columns where the client asks for them.
pub(super) async fn tables(session: &SqlSession, command: CommandGetTables) -> Result<RecordBatch, Status> {
    let has_columns = command.include_schema;
    let text = "select table_catalog, table_schema, table_name, table_type from information_schema.tables \
                where ($1 is null or table_schema like $1) and ($2 is null or table_name like $2) order by 1, 2, 3";
    let patterns = [&command.db_schema_filter_pattern, &command.table_name_filter_pattern];
    let rows = texts(session, text, patterns.map(|pattern| ScalarValue::Utf8(pattern.clone())).to_vec()).await?;
    let types = command.table_types.clone();
    let mut builder = command.into_builder();
    for row in rows {
        let [catalog, schema, table, kind] = row.as_slice() else { continue };
        let is_asked_for = types.is_empty() || types.contains(kind);
        let columns = if has_columns && is_asked_for {
            columns(session, [catalog, schema, table]).await?
        } else {
            Schema::empty()
        };
        builder.append(catalog, schema, table, kind, &columns)?;
    }
    Ok(builder.build()?)
}

/// The columns of a table, with what drivers look for beside their types.
async fn columns(session: &SqlSession, name: [&String; 3]) -> Result<Schema, Status> {
    let [catalog, schema, table] = name;
    let [of_schema, of_table] = [schema, table].map(|part| part.replace('"', "\"\""));
    let text = format!("select * from \"{of_schema}\".\"{of_table}\"");
    let described = session.describe(&text).await.map_err(status)?;
    let told = |name: &str, value: &str| (format!("ARROW:FLIGHT:SQL:{name}"), value.to_owned());
    let comments = comments_on(schema, table);
    let fields = described.schema.fields().iter().map(|field| {
        let mut metadata = HashMap::from([
            told("CATALOG_NAME", catalog),
            told("SCHEMA_NAME", schema),
            told("TABLE_NAME", table),
            told("TYPE_NAME", &type_name(field.data_type())),
            told("IS_AUTO_INCREMENT", "0"),
            told("IS_CASE_SENSITIVE", "1"),
            told("IS_READ_ONLY", "1"),
            told("IS_SEARCHABLE", "1"),
        ]);
        let comment = comments.and_then(|comments| comments.column(field.name()));
        metadata.extend(comment.map(|comment| told("REMARKS", comment)));
        Field::new(field.name(), field.data_type().clone(), field.is_nullable()).with_metadata(metadata)
    });
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

/// The kinds of tables.
pub(super) const TABLE_TYPES: [&str; 2] = ["BASE TABLE", "VIEW"];

/// The rows of a statement whose columns are all text.
async fn texts(session: &SqlSession, text: &str, parameters: Vec<ScalarValue>) -> Result<Vec<Vec<String>>, Status> {
    let batches: Vec<RecordBatch> = async { session.run(text, parameters).await?.try_collect().await }
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
