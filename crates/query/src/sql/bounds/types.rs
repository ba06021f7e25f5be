//! Types of few levels and parts.

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::plan_err;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The most levels of a type, such as a list of lists.
const MAX_LEVELS: usize = 24;

/// The most parts of a type, such as the fields of a structure, with the parts of those.
const MAX_PARTS: usize = 1_000;

/// The most bytes of a value whose type says how many it has.
const MAX_BYTES: usize = 16 << 10;

/// The most bytes of the name of a type.
const MAX_NAME: usize = 4_096;

/// Refuses a type that has too many levels or parts, or whose values are large even where they are null.
pub(super) fn check_type(data_type: &DataType) -> Result<()> {
    let mut parts = 0;
    let bytes = bytes_of(data_type, 0, &mut parts)?;
    if bytes > MAX_BYTES {
        return plan_err!("a value of a type takes at most {MAX_BYTES} bytes where the type says how many");
    }
    Ok(())
}

fn bytes_of(data_type: &DataType, level: usize, parts: &mut usize) -> Result<usize> {
    *parts += 1;
    if level > MAX_LEVELS || *parts > MAX_PARTS {
        return plan_err!("a type has at most {MAX_LEVELS} levels and {MAX_PARTS} parts");
    }
    let mut of_field = |field: &FieldRef| bytes_of(field.data_type(), level + 1, parts);
    let times = |bytes: usize, length: i32| bytes.saturating_mul(usize::try_from(length).unwrap_or(usize::MAX));
    Ok(match data_type {
        DataType::FixedSizeBinary(length) => times(1, *length),
        DataType::FixedSizeList(element, length) => times(of_field(element)?.max(1), *length),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::Map(field, _) => {
            // An element may be as large as a value may be.
            of_field(field)?
        }
        DataType::Struct(fields) => {
            fields.iter().map(of_field).try_fold(0, |sum: usize, bytes| bytes.map(|bytes| sum.saturating_add(bytes)))?
        }
        DataType::Union(fields, _) => {
            let mut bytes = fields.iter().map(|(_, field)| of_field(field));
            bytes.try_fold(0, |sum: usize, bytes| bytes.map(|bytes| sum.saturating_add(bytes)))?
        }
        DataType::RunEndEncoded(ends, values) => of_field(ends)?.saturating_add(of_field(values)?),
        DataType::Dictionary(key, value) => {
            bytes_of(value, level + 1, parts)?;
            key.primitive_width().unwrap_or(size_of::<u64>())
        }
        other => other.primitive_width().unwrap_or(size_of::<u64>()),
    })
}

/// Refuses the name of a type that would be taken apart into too many levels.
pub(super) fn check_type_name(name: &str) -> Result<()> {
    let mut level = 0_usize;
    let mut deepest = 0;
    for letter in name.bytes() {
        match letter {
            b'(' | b'<' | b'[' => level += 1,
            b')' | b'>' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(level);
    }
    if deepest > MAX_LEVELS || name.len() > MAX_NAME {
        return plan_err!("the name of a type has at most {MAX_LEVELS} levels and {MAX_NAME} bytes");
    }
    Ok(())
}

/// Refuses a plan in which there is a type that has too many levels or parts.
pub(in crate::sql) fn check_types(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        node.schema().fields().iter().try_for_each(|field| check_type(field.data_type()))?;
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                match part {
                    Expr::Cast(cast) => check_type(cast.field.data_type())?,
                    Expr::TryCast(cast) => check_type(cast.field.data_type())?,
                    Expr::Literal(value, _) => check_type(&value.data_type())?,
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Field;

    use super::*;

    fn list_of(data_type: DataType) -> DataType {
        DataType::List(Arc::new(Field::new_list_field(data_type, true)))
    }

    fn fixed(data_type: DataType, length: i32) -> DataType {
        DataType::FixedSizeList(Arc::new(Field::new_list_field(data_type, true)), length)
    }

    #[test]
    fn types_are_bounded_in_depth_and_width() {
        assert!(check_type(&list_of(list_of(DataType::Utf8))).is_ok());
        let deep = |levels| (0..levels).fold(DataType::Int64, |inner, _| list_of(inner));
        assert!(check_type(&deep(MAX_LEVELS)).is_ok());
        assert!(check_type(&deep(MAX_LEVELS + 1)).is_err());
        assert!(check_type(&deep(10_000)).is_err());
        assert!(check_type(&fixed(DataType::Int64, 1_024)).is_ok());
        for large in [
            fixed(fixed(DataType::Int64, 65_536), 65_536),
            fixed(fixed(DataType::Null, 65_536), 65_536),
            fixed(DataType::Int64, -1),
            DataType::FixedSizeBinary(1 << 30),
            list_of(fixed(DataType::Int64, 65_536)),
            DataType::Struct((0..2_000).map(|number| Field::new(number.to_string(), DataType::Int64, true)).collect()),
        ] {
            assert!(check_type(&large).is_err(), "{large}");
        }
    }

    #[test]
    fn names_of_types_are_bounded_before_they_are_taken_apart() {
        assert!(check_type_name("Timestamp(Millisecond, Some(\"UTC\"))").is_ok());
        assert!(check_type_name(&"List(".repeat(3_000)).is_err());
        assert!(check_type_name(&"x".repeat(MAX_NAME + 1)).is_err());
    }
}
