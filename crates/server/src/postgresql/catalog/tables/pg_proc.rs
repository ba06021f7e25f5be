//! `pg_proc`: the functions that are ours, beside PostgreSQL's.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::super::functions::Asked;
use super::super::numbers::{self, OWNER, PUBLIC};
use super::super::our_functions::{OUR_FUNCTIONS, OurFunction};

pub(super) fn fill(_: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for function in &OUR_FUNCTIONS {
        rows.push([
            ("oid", numbers::of_function(function.name).into()),
            ("proname", function.name.into()),
            ("pronamespace", PUBLIC.into()),
            ("proowner", OWNER.into()),
            // The language `internal`.
            ("prolang", 12_i32.into()),
            ("procost", 1_f32.into()),
            ("prorows", if function.gives_rows { 1000_f32 } else { 0.0 }.into()),
            ("provariadic", 0_i32.into()),
            ("prosupport", 0_i32.into()),
            ("prokind", "f".into()),
            ("prosecdef", false.into()),
            ("proleakproof", false.into()),
            ("proisstrict", false.into()),
            ("proretset", function.gives_rows.into()),
            ("provolatile", "v".into()),
            ("proparallel", "u".into()),
            ("pronargs", i16::try_from(function.parameters.len()).ok().into()),
            ("pronargdefaults", i16::try_from(function.defaults()).ok().into()),
            ("prorettype", function.result_type.into()),
            ("proargtypes", types(function)),
            ("proargnames", names(function)),
            ("prosrc", function.name.into()),
        ])?;
    }
    Ok(())
}

fn types(function: &OurFunction) -> ScalarValue {
    let types: Vec<ScalarValue> = function.parameters.iter().map(|(_, of)| ScalarValue::from(*of)).collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&types, &DataType::Int32))
}

fn names(function: &OurFunction) -> ScalarValue {
    let names: Vec<ScalarValue> = function.parameters.iter().map(|(name, _)| ScalarValue::from(*name)).collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&names, &DataType::Utf8))
}
