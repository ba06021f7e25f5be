//! What tables, columns and functions are for.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int32Type;
use datafusion::error::Result;
use skillscope_query::comments_on;

use super::super::fixed;
use super::super::numbers;
use super::super::our_functions::OUR_FUNCTIONS;
use super::super::relations::CatalogRelation;
use super::Asked;
use super::call::{Answer, CatalogFunction, Returns};

/// The numbers of the catalog's tables of tables and of functions.
const OF_RELATIONS: i32 = 1259;
const OF_FUNCTIONS: i32 = 1255;

/// What something is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgresql::catalog) struct Comment {
    /// The number of what it is about.
    pub(in crate::postgresql::catalog) number: i32,
    /// The number of the table of the catalog that has that.
    pub(in crate::postgresql::catalog) class: i32,
    /// The number of a column; 0 for the whole.
    pub(in crate::postgresql::catalog) column: i32,
    pub(in crate::postgresql::catalog) text: String,
}

/// The comments on what is ours.
pub(in crate::postgresql::catalog) fn comments(asked: &Asked) -> Result<Vec<Comment>> {
    let mut comments = Vec::new();
    for relation in asked.seen.relations()? {
        let Some(known) = comments_on(&relation.schema, &relation.name) else { continue };
        let of_relation = |column, text: &str| Comment {
            number: relation.number,
            class: OF_RELATIONS,
            column,
            text: text.to_owned(),
        };
        comments.push(of_relation(0, known.table));
        let columns = (1_i32..).zip(relation.columns.fields());
        let described = columns.filter_map(|(number, field)| Some((number, known.column(field.name())?)));
        comments.extend(described.map(|(number, text)| of_relation(number, text)));
    }
    comments.extend(OUR_FUNCTIONS.iter().map(|function| Comment {
        number: numbers::of_function(function.name),
        class: OF_FUNCTIONS,
        column: 0,
        text: function.does.to_owned(),
    }));
    Ok(comments)
}

pub(super) const ALL: &[CatalogFunction] = &[
    CatalogFunction::new(&["obj_description"], 1..=2, Returns::Text, |asked, row| {
        let class = row.text(1).and_then(CatalogRelation::named).map(|relation| relation.number);
        comment(asked, row.number(0), class, 0)
    }),
    CatalogFunction::new(&["col_description"], 2..=2, Returns::Text, |asked, row| match row.number(1) {
        Some(column) => comment(asked, row.number(0), Some(OF_RELATIONS), column),
        None => Ok(None),
    }),
    CatalogFunction::new(&["shobj_description"], 2..=2, Returns::Text, |_, _| Ok(None)),
];

fn comment(asked: &Asked, number: Option<i64>, class: Option<i32>, column: i64) -> Result<Option<Answer>> {
    let Some(number) = number else { return Ok(None) };
    let is_asked = |comment: &Comment| {
        i64::from(comment.number) == number
            && i64::from(comment.column) == column
            && class.is_none_or(|class| class == comment.class)
    };
    if let Some(found) = comments(asked)?.into_iter().find(is_asked) {
        return Ok(Answer::text(found.text));
    }
    of_postgresql(number, class, column)
}

/// A comment on what every PostgreSQL has.
fn of_postgresql(number: i64, class: Option<i32>, column: i64) -> Result<Option<Answer>> {
    let Some(rows) = CatalogRelation::named("pg_description").map(fixed::rows).transpose()?.flatten() else {
        return Ok(None);
    };
    let (Some(objects), Some(classes), Some(columns), Some(texts)) = (
        rows.column_by_name("objoid"),
        rows.column_by_name("classoid"),
        rows.column_by_name("objsubid"),
        rows.column_by_name("description"),
    ) else {
        return Ok(None);
    };
    let (objects, classes) = (objects.as_primitive::<Int32Type>(), classes.as_primitive::<Int32Type>());
    let (columns, texts) = (columns.as_primitive::<Int32Type>(), texts.as_string::<i32>());
    let found = (0..rows.num_rows()).find(|place| {
        i64::from(objects.value(*place)) == number
            && i64::from(columns.value(*place)) == column
            && class.is_none_or(|class| class == classes.value(*place))
    });
    Ok(found.filter(|place| texts.is_valid(*place)).and_then(|place| Answer::text(texts.value(place))))
}
