//! Casts of text to an array. Arrow makes an array of one element of each text, whatever it says.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, exec_err, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, ScalarFunction, TryCast};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};

use super::array_text::ArrayItem;

/// The most elements that are read of the texts of a batch.
const MOST_ELEMENTS: usize = 1_000_000;

/// The plan with each text that is cast to an array read as one.
pub(in crate::sql) fn read_arrays(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut has_any = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            has_any |= expression.exists(|part| Ok(target(part).is_some()))?;
            Ok(if has_any { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    if !has_any {
        return Ok(plan);
    }
    let read = plan.transform_up_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        node.map_expressions(|expression| {
            let name = names.save(&expression);
            let read = expression.transform_up(|part| read_array(part, &schema))?;
            Ok(read.update_data(|read| name.restore(read)))
        })
    })?;
    Ok(read.data)
}

/// What a cast to an array makes.
fn target(part: &Expr) -> Option<&FieldRef> {
    match part {
        Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. }) if is_array(field.data_type()) => {
            Some(field)
        }
        _ => None,
    }
}

fn is_array(of: &DataType) -> bool {
    matches!(of, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..))
}

fn read_array(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some(to) = target(&part).map(|field| field.data_type().clone()) else { return Ok(Transformed::no(part)) };
    let (Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. })) = &part else {
        return Ok(Transformed::no(part));
    };
    if !expr.get_type(schema)?.is_string() {
        return Ok(Transformed::no(part));
    }
    let function = ScalarUDF::new_from_impl(ArrayOfText { signature: Signature::any(1, Volatility::Immutable), to });
    let call = ScalarFunction::new_udf(Arc::new(function), vec![expr.as_ref().clone()]);
    Ok(Transformed::yes(Expr::ScalarFunction(call)))
}

/// Reads texts as arrays of a type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ArrayOfText {
    signature: Signature,
    to: DataType,
}

impl ScalarUDFImpl for ArrayOfText {
    fn name(&self) -> &str {
        "array_of_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let is_nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.to.clone(), is_nullable)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = matches!(arguments.args.as_slice(), [ColumnarValue::Scalar(_)]);
        let rows = if is_constant { 1 } else { arguments.number_rows };
        let Some(texts) = arguments.args.into_iter().next() else { return internal_err!("a text is missing") };
        let arrays = read(&texts.into_array(rows)?, &self.to)?;
        Ok(if is_constant {
            ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&arrays, 0)?)
        } else {
            ColumnarValue::Array(arrays)
        })
    }
}

fn read(texts: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let texts = cast(texts, &DataType::Utf8)?;
    let mut left = MOST_ELEMENTS;
    let mut arrays = Vec::with_capacity(texts.len());
    for text in texts.as_string::<i32>() {
        arrays.push(match text.map(|text| ArrayItem::parse(text, left)).transpose() {
            Ok(items) => items.map_or(ArrayItem::Null, ArrayItem::Array),
            Err(error) => return exec_err!("{error}"),
        });
        left -= arrays.last().map_or(0, elements).min(left);
    }
    made(&arrays, to)
}

fn elements(item: &ArrayItem) -> usize {
    match item {
        ArrayItem::Array(items) => items.len() + items.iter().map(elements).sum::<usize>(),
        ArrayItem::Null | ArrayItem::Text(_) => 0,
    }
}

/// An array of Arrow with these items, each of them of the type `of`.
fn made(items: &[ArrayItem], of: &DataType) -> Result<ArrayRef> {
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    let (DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _)) = of else {
        let texts: Result<StringArray> = items.iter().map(single).collect();
        return Ok(cast_with_options(&texts?, of, &exact)?);
    };
    let (mut lengths, mut within, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        let elements = match item {
            ArrayItem::Array(items) => items.as_slice(),
            ArrayItem::Null => &[],
            ArrayItem::Text(text) => return exec_err!("an array is expected, and not \"{text}\""),
        };
        lengths.push(elements.len());
        valid.push(*item != ArrayItem::Null);
        within.extend_from_slice(elements);
    }
    let field = Arc::new(Field::new(element.name(), element.data_type().clone(), true));
    let values = made(&within, element.data_type())?;
    let lists = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), values, Some(NullBuffer::from(valid)))?;
    Ok(cast_with_options(&lists, of, &exact)?)
}

fn single(item: &ArrayItem) -> Result<Option<&str>> {
    match item {
        ArrayItem::Null => Ok(None),
        ArrayItem::Text(text) => Ok(Some(text)),
        ArrayItem::Array(_) => exec_err!("an array has more dimensions than its type"),
    }
}
