//! Gives a batch of segments the one encoding that the store keeps.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int8Array, Int32Array, RecordBatch, StringArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int8Type, Int32Type, SchemaRef};
use arrow::error::ArrowError;

use super::schema::{end_reasons, outcomes, start_reasons, user_types};
use crate::{Result, column, schema};

/// Converts a batch of segments to [`schema`](crate::schema()): the same values, encoded as every other batch is. Words
/// get the keys of the shared vocabulary, and other dictionaries hold each value once.
///
/// The rules of a segment are not checked, since the rows were checked before they were written. Where nothing says when
/// rows arrived, it is null.
///
/// # Errors
/// Where another column is missing or cannot be converted, or a word is not in its vocabulary.
pub fn normalize_encoding(batch: &RecordBatch) -> Result<RecordBatch> {
    normalize_encoding_to(batch, schema())
}

/// As [`normalize_encoding`], for the columns of `schema` alone, whose fields are fields of
/// [`schema`](crate::schema()).
///
/// # Errors
/// As [`normalize_encoding`].
pub fn normalize_encoding_to(batch: &RecordBatch, schema: SchemaRef) -> Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| {
        let name = field.name().as_str();
        let Some(array) = batch.column_by_name(name) else {
            if name == column::ARRIVAL_TIME {
                return Ok(new_null_array(field.data_type(), batch.num_rows()));
            }
            return Err(ArrowError::SchemaError(format!("a batch of segments without {name}")).into());
        };
        // The cast costs nothing if the column has this type already.
        let array = cast(array, field.data_type())?;
        match name {
            column::START_REASON => words(&array, name, start_reasons()),
            column::END_REASON => words(&array, name, end_reasons()),
            column::USER_TYPE => words(&array, name, user_types()),
            column::OUTCOME => words(&array, name, outcomes()),
            _ if matches!(field.data_type(), DataType::Dictionary(..)) => without_repeated_values(&array),
            _ => Ok(array),
        }
    });
    Ok(RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_>>()?)?)
}

/// Gives words the keys of `vocabulary`.
fn words(array: &ArrayRef, name: &str, vocabulary: ArrayRef) -> Result<ArrayRef> {
    let array = array.as_dictionary::<Int8Type>();
    if Arc::ptr_eq(array.values(), &vocabulary) {
        return Ok(Arc::new(array.clone()));
    }
    let known = vocabulary.as_string::<i32>();
    let keys: Vec<Option<i8>> = array
        .values()
        .as_string::<i32>()
        .iter()
        .map(|word| Some(known.iter().position(|known| known == word)? as i8))
        .collect();
    let mapped = |key: Option<i8>| keys.get(usize::try_from(key?).ok()?).copied().flatten();
    let mapped: Int8Array = array.keys().iter().map(mapped).collect();
    if mapped.null_count() > 0 {
        let reason = format!("column {name} holds a word that no segment has");
        return Err(ArrowError::SchemaError(reason).into());
    }
    Ok(Arc::new(DictionaryArray::try_new(mapped, vocabulary)?))
}

/// Rebuilds a dictionary so that it holds each value once, and no value that no row uses.
fn without_repeated_values(array: &ArrayRef) -> Result<ArrayRef> {
    let array = array.as_dictionary::<Int32Type>();
    let values = array.values().as_string::<i32>();
    let mut used = vec![false; values.len()];
    for key in array.keys().iter().flatten() {
        if let Some(used) = usize::try_from(key).ok().and_then(|key| used.get_mut(key)) {
            *used = true;
        }
    }
    let (mut kept, mut key_of): (Vec<&str>, HashMap<&str, i32>) = (Vec::new(), HashMap::new());
    let new_keys: Vec<i32> = values
        .iter()
        .zip(used)
        .map(|(value, used)| match value {
            Some(value) if used => *key_of.entry(value).or_insert_with(|| {
                kept.push(value);
                (kept.len() - 1) as i32
            }),
            _ => 0,
        })
        .collect();
    if kept.len() == values.len() {
        return Ok(Arc::new(array.clone()));
    }
    let keys = array.keys().iter().map(|key| new_keys.get(usize::try_from(key?).ok()?).copied());
    let keys: Int32Array = keys.collect();
    Ok(Arc::new(DictionaryArray::try_new(keys, Arc::new(StringArray::from_iter_values(kept)))?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{any_segment, batch_of, segments_of};

    fn plain(batch: &RecordBatch) -> RecordBatch {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(|(field, array)| {
            let plain = if matches!(field.data_type(), DataType::Dictionary(..)) {
                cast(array, &DataType::Utf8).unwrap()
            } else {
                Arc::clone(array)
            };
            (field.name().clone(), plain, field.is_nullable())
        });
        RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap()
    }

    proptest! {
        /// Whatever the encoding, the same segments come out, and batches put together have no value twice.
        #[test]
        fn the_segments_stay_the_same(segments in prop::collection::vec(any_segment(), 1..20)) {
            let original = batch_of(&segments);
            let both = arrow::compute::concat_batches(&schema(), [&original, &original]).unwrap();
            for (encoded, times) in [(plain(&original), 1), (both, 2)] {
                let normalized = normalize_encoding(&encoded).unwrap();
                prop_assert_eq!(segments_of(&normalized), std::iter::repeat_n(segments.clone(), times).flatten().collect::<Vec<_>>());
                let source = normalized.column_by_name(column::SOURCE).unwrap().as_dictionary::<Int32Type>();
                let values: Vec<_> = source.values().as_string::<i32>().iter().collect();
                let distinct: std::collections::HashSet<_> = values.iter().collect();
                prop_assert_eq!(distinct.len(), values.len());
            }
        }
    }

    #[test]
    fn a_word_of_another_vocabulary_is_an_error() {
        let original = plain(&batch_of(&[crate::testing::interactive()]));
        let schema = original.schema();
        let columns = schema.fields().iter().zip(original.columns()).map(|(field, array)| {
            let array = if field.name() == column::OUTCOME {
                Arc::new(StringArray::from(vec!["splendid"])) as ArrayRef
            } else {
                Arc::clone(array)
            };
            (field.name().clone(), array, field.is_nullable())
        });
        let wrong = RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).unwrap();
        assert!(normalize_encoding(&wrong).unwrap_err().to_string().contains("outcome"));
    }
}
