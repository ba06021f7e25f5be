//! The columns that reports need, and how other writers may have written them.

use arrow::datatypes::{DataType, Schema, SchemaRef};
use skillscope_segment::column;

use crate::{Error, Result};

/// A required column, the types that it may have, and those types in words.
struct Need {
    name: &'static str,
    is_readable: fn(&DataType) -> bool,
    expected: &'static str,
}

const TIME: &str = "a timestamp, or milliseconds as Int64";

const NEEDS: [Need; 7] = [
    Need { name: column::ACCOUNT_ID, is_readable: is_text, expected: "text" },
    Need { name: column::SKILL_ID, is_readable: DataType::is_integer, expected: "a whole number" },
    Need { name: column::END_TIME, is_readable: is_time, expected: TIME },
    Need { name: column::USER_TYPE, is_readable: is_text, expected: "text" },
    Need { name: column::OUTCOME, is_readable: is_text, expected: "text" },
    Need { name: column::ABANDONED_IN_QUEUE, is_readable: is_boolean, expected: "true or false" },
    Need {
        name: column::TIME_TO_FIRST_AGENT_MESSAGE_MS,
        is_readable: DataType::is_integer,
        expected: "a whole number of milliseconds, or null",
    },
];

/// The names of the columns that reports need.
pub(crate) fn needed_columns() -> impl Iterator<Item = &'static str> {
    NEEDS.iter().map(|need| need.name)
}

/// Checks that a file has these columns. If the names of its folders tell the account, it need not have that column.
pub(super) fn check(file: &str, schema: &SchemaRef, has_account: bool) -> Result<()> {
    for need in NEEDS.iter().filter(|need| !(has_account && need.name == column::ACCOUNT_ID)) {
        let Some((_, field)) = schema.column_with_name(need.name) else {
            let found = names(schema);
            let file = file.to_owned();
            return Err(Error::ColumnMissing { file, column: need.name, expected: need.expected, found });
        };
        if !(need.is_readable)(field.data_type()) {
            let found = field.data_type().to_string();
            return Err(Error::ColumnType { file: file.to_owned(), column: need.name, found, expected: need.expected });
        }
    }
    Ok(())
}

/// The type of the column `arrival_time`, where it is none of a time.
pub(super) fn strange_arrival(schema: &SchemaRef) -> Option<DataType> {
    let (_, field) = schema.column_with_name(column::ARRIVAL_TIME)?;
    let found = field.data_type();
    (!is_time(found) && !found.is_null()).then(|| found.clone())
}

/// The error for a file whose column `arrival_time` has the type `found`.
pub(super) fn arrival_refused(file: &str, found: &DataType) -> Error {
    Error::ColumnType { file: file.to_owned(), column: column::ARRIVAL_TIME, found: found.to_string(), expected: TIME }
}

fn names(schema: &Schema) -> String {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..) | DataType::Int64)
}

fn is_boolean(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Boolean)
}
