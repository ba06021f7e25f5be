//! The names of types.

use std::collections::HashMap;
use std::sync::LazyLock;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};

use super::super::fixed;
use super::super::relations::CatalogRelation;
use super::super::seen::quoted;
use super::call::{Answer, CatalogFunction, Returns};

/// Types that have a name of the language beside the one in the catalog.
const OF_LANGUAGE: [(&str, &str); 18] = [
    ("bit", "bit"),
    ("bool", "boolean"),
    ("bpchar", "character"),
    ("char", "\"char\""),
    ("float4", "real"),
    ("float8", "double precision"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("interval", "interval"),
    ("numeric", "numeric"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("varbit", "bit varying"),
    ("varchar", "character varying"),
    ("any", "\"any\""),
];

/// Other words for types, as statements have them.
const SYNONYMS: [(&str, &str); 7] = [
    ("int", "int4"),
    ("decimal", "numeric"),
    ("float", "float8"),
    ("dec", "numeric"),
    ("character varying", "varchar"),
    ("character", "bpchar"),
    ("string", "text"),
];

pub(super) const ALL: &[CatalogFunction] = &[
    CatalogFunction::new(&["format_type"], 2..=2, Returns::Text, |_, row| {
        Ok(row.number(0).and_then(|number| Answer::text(format_type(number, row.number(1)))))
    })
    .with_nulls(),
    CatalogFunction::new(&["oidvectortypes"], 1..=1, Returns::Text, |_, row| {
        let types = row.numbers(0).unwrap_or_default().into_iter().map(|number| format_type(number, None));
        Ok(Answer::text(types.collect::<Vec<_>>().join(", ")))
    }),
    CatalogFunction::new(&["json_build_object", "jsonb_build_object"], 0..=24, Returns::Text, |_, row| {
        let mut object = serde_json::Map::new();
        for key in (0..row.len()).step_by(2) {
            object.insert(row.text(key).unwrap_or_default().to_owned(), row.json(key + 1));
        }
        Ok(Answer::text(serde_json::Value::Object(object).to_string()))
    })
    .with_nulls(),
    CatalogFunction::new(&["pg_encoding_to_char"], 1..=1, Returns::Text, |_, row| {
        Ok(Answer::text(if row.number(0) == Some(6) { "UTF8" } else { "" }))
    }),
    CatalogFunction::new(&["pg_char_to_encoding"], 1..=1, Returns::Number, |_, row| {
        let is_utf8 = row.text(0).is_some_and(|name| name.replace('-', "").eq_ignore_ascii_case("utf8"));
        Ok(Some(Answer::Number(if is_utf8 { 6 } else { -1 })))
    }),
    CatalogFunction::new(&["quote_ident"], 1..=1, Returns::Text, |_, row| {
        Ok(row.text(0).and_then(|name| Answer::text(quoted(name))))
    }),
    CatalogFunction::new(&["quote_literal"], 1..=1, Returns::Text, |_, row| {
        Ok(row.text(0).and_then(|text| Answer::text(literal(text))))
    }),
    CatalogFunction::new(&["quote_nullable"], 1..=1, Returns::Text, |_, row| {
        Ok(Answer::text(row.text(0).map_or_else(|| "NULL".to_owned(), literal)))
    })
    .with_nulls(),
];

/// A text as a statement has it.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// The name of a type as statements have it, with what a column says of it beside, such as a length.
pub(super) fn format_type(number: i64, modifier: Option<i64>) -> String {
    if number == 0 {
        return "-".to_owned();
    }
    let Some(names) = type_names().ok().filter(|names| names.contains_key(&number)) else { return "???".to_owned() };
    let Some((name, element)) = names.get(&number) else { return "???".to_owned() };
    if let Some(element) = element {
        return format!("{}[]", format_type(*element, modifier));
    }
    let shown = OF_LANGUAGE
        .iter()
        .find(|(known, _)| known == name)
        .map_or_else(|| quoted(name), |(_, shown)| (*shown).to_owned());
    match modifier.filter(|modifier| *modifier >= 0) {
        Some(modifier) if ["varchar", "bpchar"].contains(&name.as_str()) => format!("{shown}({})", modifier - 4),
        Some(modifier) if name == "numeric" => {
            format!("{shown}({},{})", ((modifier - 4) >> 16) & 0xffff, (modifier - 4) & 0x7ff)
        }
        Some(modifier) if name.starts_with("time") => match shown.split_once(' ') {
            Some((word, rest)) => format!("{word}({modifier}) {rest}"),
            None => shown,
        },
        _ => shown,
    }
}

/// The number of a type by its name, as statements have it; `None` where there is none.
pub(super) fn type_number(name: &str) -> Result<Option<i64>> {
    let name = name.trim();
    let (name, is_array) = name.strip_suffix("[]").map_or((name, false), |name| (name.trim_end(), true));
    let name = name.strip_prefix("pg_catalog.").unwrap_or(name);
    let bare = name.split_once('(').map_or(name, |(bare, _)| bare.trim_end()).trim_matches('"').to_lowercase();
    let known = OF_LANGUAGE.iter().find(|(_, shown)| *shown == bare).map(|(known, _)| *known);
    let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == bare).map(|(_, known)| *known);
    let wanted = known.or(synonym).unwrap_or(&bare);
    let names = type_names()?;
    let found = names.iter().find(|(_, (name, _))| name == wanted).map(|(number, _)| *number);
    let array_of = |element: i64| names.iter().find(|(_, (_, of))| *of == Some(element)).map(|(number, _)| *number);
    Ok(if is_array { found.and_then(array_of) } else { found })
}

/// Types by their numbers: their names, and what arrays are of.
type TypeNames = HashMap<i64, (String, Option<i64>)>;

pub(super) fn type_names() -> Result<&'static TypeNames> {
    static NAMES: LazyLock<std::result::Result<TypeNames, String>> =
        LazyLock::new(|| read().map_err(|error| error.to_string()));
    NAMES.as_ref().map_err(|error| DataFusionError::Internal(error.clone()))
}

fn read() -> Result<TypeNames> {
    let Some(rows) = CatalogRelation::named("pg_type").map(fixed::rows).transpose()?.flatten() else {
        return Ok(HashMap::new());
    };
    let column = |name: &str| {
        rows.column_by_name(name).ok_or_else(|| exec_datafusion_err!("the catalog has no column {name}")).cloned()
    };
    let (numbers, names, elements) = (column("oid")?, column("typname")?, column("typelem")?);
    let categories = column("typcategory")?;
    debug_assert_eq!(numbers.data_type(), &DataType::Int32, "numbers of objects");
    let (numbers, elements) = (numbers.as_primitive::<Int32Type>(), elements.as_primitive::<Int32Type>());
    let (names, categories) = (names.as_string::<i32>(), categories.as_string::<i32>());
    let types = (0..rows.num_rows()).filter(|place| numbers.is_valid(*place)).map(|place| {
        let name = names.value(place);
        // Vectors are arrays that have a name of their own.
        let is_array = categories.value(place) == "A" && name.starts_with('_');
        let element = is_array.then(|| i64::from(elements.value(place)));
        (i64::from(numbers.value(place)), (name.to_owned(), element))
    });
    Ok(types.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_postgresql_does() {
        // PostgreSQL 15's own answers.
        for (number, modifier, expected) in [
            (25, None, "text"),
            (20, Some(-1), "bigint"),
            (1184, None, "timestamp with time zone"),
            (1184, Some(3), "timestamp(3) with time zone"),
            (1043, Some(14), "character varying(10)"),
            (1700, Some(655_366), "numeric(10,2)"),
            (1016, None, "bigint[]"),
            (18, None, "\"char\""),
            (22, None, "int2vector"),
            (19, None, "name"),
            (0, None, "-"),
            (999_999, None, "???"),
        ] {
            assert_eq!(format_type(number, modifier), expected);
        }
        for (name, expected) in [
            ("timestamp with time zone", Some(1184)),
            ("pg_catalog.int8", Some(20)),
            ("BIGINT", Some(20)),
            ("text[]", Some(1009)),
            ("varchar(10)", Some(1043)),
            ("nothing", None),
        ] {
            assert_eq!(type_number(name).unwrap(), expected, "{name}");
        }
    }
}
