//! Vectors of the catalog: lists of numbers that are written with blanks between them and nothing around.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::error::PgWireResult;

use crate::postgresql::error::{SqlState, error};

/// Whether a type is one of vectors.
pub(super) fn is_vector(of: &Type) -> bool {
    matches!(*of, Type::INT2_VECTOR | Type::OID_VECTOR)
}

/// Vectors as texts: `1 2`.
pub(super) fn text(lists: &ArrayRef) -> PgWireResult<ArrayRef> {
    let Some(lists) = lists.as_list_opt::<i32>() else { return Ok(Arc::clone(lists)) };
    let internal = |failure: arrow::error::ArrowError| error(SqlState::Internal, failure.to_string());
    let mut texts = Vec::with_capacity(lists.len());
    for list in lists.iter() {
        texts.push(match list {
            Some(list) => {
                let elements = cast(&list, &DataType::Utf8).map_err(internal)?;
                let elements: Vec<&str> = elements.as_string::<i32>().iter().flatten().collect();
                Some(elements.join(" "))
            }
            None => None,
        });
    }
    Ok(Arc::new(StringArray::from(texts)))
}

#[cfg(test)]
mod tests {
    use arrow::array::ListArray;
    use arrow::datatypes::Int16Type;

    use super::*;

    #[test]
    fn a_vector_is_numbers_with_blanks_between_them() {
        let lists = [Some(vec![Some(1), Some(-2)]), Some(vec![]), None];
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int16Type, _, _>(lists));
        let texts = text(&lists).unwrap();
        assert_eq!(texts.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("1 -2"), Some(""), None]);
    }
}
