//! `pg_settings`: the settings of the session.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use skillscope_query::CatalogRows;

use super::super::functions::Asked;

pub(super) fn fill(asked: &Asked, rows: &mut CatalogRows) -> Result<()> {
    for (setting, value, reset) in asked.session.settings.all() {
        let source = if value == setting.default { "default" } else { "session" };
        rows.push([
            ("name", setting.name.into()),
            ("setting", value.into()),
            ("unit", told(setting.unit)),
            ("category", setting.category.into()),
            ("short_desc", setting.description.into()),
            ("context", setting.context.into()),
            ("vartype", setting.vartype.into()),
            ("source", source.into()),
            ("min_val", told(setting.min)),
            ("max_val", told(setting.max)),
            ("enumvals", words(setting.words)),
            ("boot_val", setting.default.into()),
            ("reset_val", reset.into()),
            ("pending_restart", false.into()),
        ])?;
    }
    Ok(())
}

/// Null where the table of settings says nothing.
fn told(text: &str) -> ScalarValue {
    ScalarValue::Utf8(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// The words of an `enum`; null for any other kind.
fn words(text: &str) -> ScalarValue {
    if text.is_empty() {
        return ScalarValue::Null;
    }
    let words: Vec<ScalarValue> = text.split(',').map(ScalarValue::from).collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&words, &DataType::Utf8))
}
