//! What a statement sees, as the catalog tells of it: schemas, tables and views, and databases.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::SchemaProvider;
use datafusion::common::internal_datafusion_err;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use futures::FutureExt;
use skillscope_query::{Schemas, Visible, standard_view};

use super::numbers;
use super::relations::CatalogRelation;

/// The schemas whose tables can be named without them.
const SEARCHED: [&str; 2] = ["public", super::PG_CATALOG];

/// What a statement sees. It is looked at when somebody asks for the first time.
#[derive(Debug)]
pub(super) struct Seen {
    visible: Visible,
    relations: OnceLock<Vec<Relation>>,
}

/// A table or a view.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) number: i32,
    pub(super) schema: String,
    pub(super) name: String,
    /// `r` for a table, `v` for a view.
    pub(super) kind: &'static str,
    pub(super) columns: SchemaRef,
    /// The query that a view is.
    pub(super) definition: Option<String>,
}

impl Relation {
    /// Whether it can be named without its schema.
    pub(super) fn is_visible(&self) -> bool {
        SEARCHED.contains(&self.schema.as_str())
    }

    /// Its name as a statement can have it.
    pub(super) fn shown(&self) -> String {
        let name = quoted(&self.name);
        if self.is_visible() { name } else { format!("{}.{name}", quoted(&self.schema)) }
    }
}

impl Seen {
    pub(super) fn new(visible: Visible) -> Self {
        Self { visible, relations: OnceLock::new() }
    }

    /// The names of the schemas.
    pub(super) fn schemas(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.visible.schemas.iter().map(|(name, _)| name.as_str()).collect();
        names.push(super::PG_CATALOG);
        names.sort_unstable();
        names
    }

    /// The accounts in scope that have segments.
    pub(super) fn accounts(&self) -> Vec<String> {
        (self.visible.accounts)()
    }

    /// The tables and views.
    pub(super) fn relations(&self) -> Result<&[Relation]> {
        if let Some(relations) = self.relations.get() {
            return Ok(relations);
        }
        // Everything is in memory: nothing is waited for.
        let found = found(&self.visible.schemas).now_or_never();
        let found = found.ok_or_else(|| internal_datafusion_err!("a table of the catalog has to be waited for"))??;
        Ok(self.relations.get_or_init(|| found))
    }

    /// The table or view of a number.
    pub(super) fn relation(&self, number: i64) -> Result<Option<&Relation>> {
        Ok(self.relations()?.iter().find(|relation| i64::from(relation.number) == number))
    }

    /// The table or view of a name, with or without its schema, as a statement has it.
    pub(super) fn relation_named(&self, name: &str) -> Result<Option<&Relation>> {
        let parts = parts(name);
        let relations = self.relations()?;
        Ok(match parts.as_slice() {
            [name] => SEARCHED.iter().rev().find_map(|schema| find(relations, schema, name)),
            [schema, name] | [_, schema, name] => find(relations, schema, name),
            _ => None,
        })
    }
}

fn find<'r>(relations: &'r [Relation], schema: &str, name: &str) -> Option<&'r Relation> {
    relations.iter().find(|relation| relation.schema == schema && relation.name == name)
}

async fn found(schemas: &Schemas) -> Result<Vec<Relation>> {
    let mut relations: Vec<Relation> = CatalogRelation::all().iter().map(of_catalog).collect();
    let mut taken: HashSet<i32> = relations.iter().map(|relation| relation.number).collect();
    for (schema, provider) in schemas {
        let mut names = provider.table_names();
        names.sort();
        for name in names {
            let mut relation = relation(schema, provider.as_ref(), name).await?;
            while !taken.insert(relation.number) {
                relation.number = numbers::next(relation.number);
            }
            relations.push(relation);
        }
    }
    relations.sort_by(|one, other| (&one.schema, &one.name).cmp(&(&other.schema, &other.name)));
    Ok(relations)
}

fn of_catalog(relation: &CatalogRelation) -> Relation {
    Relation {
        number: relation.number,
        schema: super::PG_CATALOG.to_owned(),
        name: relation.name.to_owned(),
        kind: relation.kind,
        columns: Arc::clone(&relation.schema),
        definition: None,
    }
}

async fn relation(schema: &str, provider: &dyn SchemaProvider, name: String) -> Result<Relation> {
    let kind = if provider.table_type(&name).await? == Some(TableType::View) { "v" } else { "r" };
    if let Some(columns) = standard_view(&name).filter(|_| schema == "information_schema") {
        let number = numbers::of_relation(schema, &name);
        return Ok(Relation { number, schema: schema.to_owned(), name, kind, columns, definition: None });
    }
    // A view over something that is gone is still there, and nothing is known of its columns.
    let table = provider.table(&name).await.ok().flatten();
    let columns = table.as_ref().map_or_else(|| Arc::new(Schema::empty()), |table| table.schema());
    let definition = table.and_then(|table| table.get_table_definition().map(str::to_owned));
    let definition = definition.filter(|_| kind == "v").map(|text| with_end(&text));
    Ok(Relation {
        number: numbers::of_relation(schema, &name),
        schema: schema.to_owned(),
        name,
        kind,
        columns,
        definition,
    })
}

fn with_end(text: &str) -> String {
    format!(" {};", text.trim().trim_end_matches(';'))
}

/// The parts of a name, as a statement has it: in small letters where they are not in quotes.
pub(super) fn parts(name: &str) -> Vec<String> {
    let (mut parts, mut part, mut is_quoted, mut letters) =
        (Vec::new(), String::new(), false, name.trim().chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                part.push('"');
            }
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(std::mem::take(&mut part)),
            letter if is_quoted => part.push(letter),
            letter => part.extend(letter.to_lowercase()),
        }
    }
    parts.push(part);
    parts
}

/// A name as a statement can have it: in quotes, where it needs them.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let begins_well = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_');
    if begins_well && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_as_in_statements() {
        for (name, expected) in [
            ("Segments", vec!["segments"]),
            ("public.segments", vec!["public", "segments"]),
            (r#""A.b"."x""y""#, vec!["A.b", r#"x"y"#]),
            (r#"acme.public."T""#, vec!["acme", "public", "T"]),
        ] {
            assert_eq!(parts(name), expected, "{name}");
        }
        for (name, expected) in [("segments", "segments"), ("A", r#""A""#), ("1a", r#""1a""#), ("x\"y", r#""x""y""#)] {
            assert_eq!(quoted(name), expected);
        }
    }
}
