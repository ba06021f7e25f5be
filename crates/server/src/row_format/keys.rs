//! Names of columns as the keys of objects, which occur once in each.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;

/// The same rows, with the names of `schema` for their columns.
///
/// # Errors
/// Where those are not columns of the same types.
pub(super) fn with_names(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options)
}

/// The same columns with names that differ, for what tells columns apart by their names: the second `outcome` is
/// `outcome_2`, unless there is a column of that name, which keeps it. `None` where they differ already.
pub(super) fn with_keys(schema: &Schema) -> Option<Schema> {
    let names: HashSet<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    if names.len() == schema.fields().len() {
        return None;
    }
    let mut taken: HashSet<String> = names.into_iter().map(str::to_owned).collect();
    let mut times = HashMap::<&str, usize>::new();
    let fields = schema.fields().iter().map(|field| {
        let number = times.entry(field.name()).or_default();
        *number += 1;
        if *number == 1 {
            return field.as_ref().clone();
        }
        let mut key = format!("{}_{number}", field.name());
        while !taken.insert(key.clone()) {
            *number += 1;
            key = format!("{}_{number}", field.name());
        }
        field.as_ref().clone().with_name(key)
    });
    let fields: Vec<Field> = fields.collect();
    Some(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    fn keys(names: &[&str]) -> Option<Vec<String>> {
        let fields: Vec<_> = names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect();
        let schema = with_keys(&Schema::new(fields))?;
        Some(schema.fields().iter().map(|field| field.name().clone()).collect())
    }

    #[test]
    fn every_key_is_there_once() {
        for (names, expected) in [
            (["a", "a", "b", "a"], ["a", "a_2", "b", "a_3"]),
            (["a", "a_2", "a", "a"], ["a", "a_2", "a_3", "a_4"]),
            (["a", "a", "a_2", "a_2"], ["a", "a_3", "a_2", "a_2_2"]),
            (["", "", "1", "1"], ["", "_2", "1", "1_2"]),
        ] {
            assert_eq!(keys(&names).unwrap(), expected);
        }
        assert_eq!(keys(&["a", "A", "b"]), None);
    }
}
