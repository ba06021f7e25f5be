//! What a statement that defines asks for.

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    AlterTable, AlterTableOperation, CreateView, Ident, ObjectName, ObjectType, RenameTableNameKind, SchemaName,
    Statement,
};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use skillscope_store::RelationKind;

use super::place::folded;
use crate::sql::dialect::{first_word, read_words, words};
use crate::{Error, Result};

/// The words with which statements begin that change something.
const CHANGING: [&str; 14] = [
    "create", "drop", "alter", "insert", "update", "delete", "truncate", "merge", "comment", "grant", "revoke",
    "refresh", "reindex", "vacuum",
];

/// What is told of changes to rows.
const ROWS: &str = "rows are never changed in SQL: segments are imported or sent over HTTP, and a table of names is \
                    replaced with `skillscope import table NAME FILE`";

const TABLES: &str = "tables are added with `skillscope import table NAME FILE`; for a query, write CREATE VIEW";

const COLUMNS: &str = "columns are not altered here; replace the table or the view as a whole";

const MATERIALIZED: &str = "views are not materialized here: they are computed whenever they are read";

const OTHER: &str = "of what SQL defines, there are CREATE VIEW, DROP VIEW, DROP TABLE and ALTER VIEW … RENAME TO here";

/// What a statement that defines asks for.
#[derive(Debug, Clone)]
pub(super) enum Definition {
    CreateView(Box<NewView>),
    Drop {
        kind: RelationKind,
        names: Vec<ObjectName>,
        if_exists: bool,
    },
    /// `kind` is `None` where tables and views are meant.
    Rename {
        kind: Option<RelationKind>,
        name: ObjectName,
        to: ObjectName,
        if_exists: bool,
    },
    CreateSchema {
        name: String,
        if_not_exists: bool,
    },
}

/// A view that is to be made.
#[derive(Debug, Clone)]
pub(super) struct NewView {
    pub(super) name: ObjectName,
    pub(super) query: String,
    pub(super) may_replace: bool,
    pub(super) if_not_exists: bool,
    pub(super) is_temporary: bool,
}

/// Whether a text changes something, or would, instead of reading.
pub fn is_definition(text: &str) -> bool {
    let first = first_word(text);
    CHANGING.iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// What PostgreSQL answers to a statement that defines, such as `CREATE VIEW`; `None` for other statements.
pub fn definition_tag(text: &str) -> Option<&'static str> {
    is_definition(text).then(|| read(text).ok().map(|definition| definition.tag())).flatten()
}

/// Reads a statement that defines.
///
/// # Errors
/// Where it is not one, or asks for what there is not here, in plain words.
pub(super) fn read(text: &str) -> Result<Definition> {
    let refused = |reason| Err(Error::Refused(reason));
    match first_word(text).to_ascii_lowercase().as_str() {
        "insert" | "update" | "delete" | "truncate" | "merge" => return refused(ROWS),
        "create" | "drop" | "alter" => {}
        _ => return refused(OTHER),
    }
    let mut words = words(text).map_err(Error::of_sql)?;
    let is_of_view = rename_of_view(&mut words);
    match read_words(words).map_err(Error::of_sql)? {
        DfStatement::Statement(statement) => definition(*statement, is_of_view),
        DfStatement::CreateExternalTable(_) => refused(TABLES),
        _ => refused(OTHER),
    }
}

fn definition(statement: Statement, is_of_view: bool) -> Result<Definition> {
    match statement {
        Statement::CreateView(view) => new_view(view),
        Statement::Drop { object_type, if_exists, names, .. } => {
            let kind = match object_type {
                ObjectType::Table => RelationKind::Table,
                ObjectType::View => RelationKind::View,
                _ => return Err(Error::Refused(OTHER)),
            };
            Ok(Definition::Drop { kind, names, if_exists })
        }
        Statement::AlterTable(AlterTable { name, if_exists, operations, .. }) => {
            let [AlterTableOperation::RenameTable { table_name: RenameTableNameKind::To(to) }] = operations.as_slice()
            else {
                return Err(Error::Refused(COLUMNS));
            };
            let kind = is_of_view.then_some(RelationKind::View);
            Ok(Definition::Rename { kind, name, to: to.clone(), if_exists })
        }
        Statement::CreateSchema { schema_name: SchemaName::Simple(name), if_not_exists, .. } => {
            let name = name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
            Ok(Definition::CreateSchema { name, if_not_exists })
        }
        Statement::CreateTable(_) => Err(Error::Refused(TABLES)),
        _ => Err(Error::Refused(OTHER)),
    }
}

fn new_view(view: CreateView) -> Result<Definition> {
    if view.materialized {
        return Err(Error::Refused(MATERIALIZED));
    }
    if view.or_alter || view.to.is_some() {
        return Err(Error::Refused(OTHER));
    }
    let query = match view.columns.as_slice() {
        [] => view.query.to_string(),
        columns => {
            let quoted = |ident: &Ident| format!("\"{}\"", folded(ident).replace('"', "\"\""));
            let columns = columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
            format!("SELECT * FROM ({}) AS v ({columns})", view.query)
        }
    };
    Ok(Definition::CreateView(Box::new(NewView {
        name: view.name,
        query,
        may_replace: view.or_replace,
        if_not_exists: view.if_not_exists,
        is_temporary: view.temporary,
    })))
}

/// Makes `ALTER VIEW … RENAME TO`, which the parser does not know, one of tables, and tells whether it was.
fn rename_of_view(words: &mut [TokenWithSpan]) -> bool {
    let is = |token: &TokenWithSpan, keyword: Keyword| matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.keyword == keyword);
    let has_rename = words.iter().any(|word| is(word, Keyword::RENAME));
    let mut first = words.iter_mut().filter(|word| !matches!(word.token, Token::Whitespace(_) | Token::SemiColon));
    match (first.next(), first.next()) {
        (Some(alter), Some(view)) if has_rename && is(alter, Keyword::ALTER) && is(view, Keyword::VIEW) => {
            view.token = Token::make_keyword("TABLE");
            true
        }
        _ => false,
    }
}

impl Definition {
    /// What PostgreSQL answers.
    pub(super) fn tag(&self) -> &'static str {
        match self {
            Self::CreateView(_) => "CREATE VIEW",
            Self::Drop { kind: RelationKind::View, .. } => "DROP VIEW",
            Self::Drop { kind: RelationKind::Table, .. } => "DROP TABLE",
            Self::Rename { kind: Some(RelationKind::View), .. } => "ALTER VIEW",
            Self::Rename { .. } => "ALTER TABLE",
            Self::CreateSchema { .. } => "CREATE SCHEMA",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_changes_something_is_told_by_its_first_word() {
        for text in [
            "create view v as select 1",
            "/* {\"app\": \"dbt\"} */\n  create view v as (select 1);",
            "-- one\n/* two /* three */ */ -- four\nDROP VIEW v",
            ";; alter view a rename to b",
            "Insert into x values (1)",
        ] {
            assert!(is_definition(text), "{text}");
        }
        for text in
            ["select 1", "", "/* create", "-- create", "created", "(create)", "with x as (select 1) select 1", "/*"]
        {
            assert!(!is_definition(text), "{text}");
        }
    }

    #[test]
    fn tags_are_those_of_postgresql() {
        for (text, tag) in [
            ("create or replace view \"A b\".c as select 1", Some("CREATE VIEW")),
            ("create temporary view c (x, \"Y\") as select 1, 2", Some("CREATE VIEW")),
            ("create or replace temp view c as table segments", Some("CREATE VIEW")),
            ("drop view if exists a, b cascade", Some("DROP VIEW")),
            ("drop table a", Some("DROP TABLE")),
            ("alter view if exists a rename to b", Some("ALTER VIEW")),
            ("alter table \"d\".\"public\".\"a__dbt_tmp\" rename to \"a\"", Some("ALTER TABLE")),
            ("create schema if not exists public", Some("CREATE SCHEMA")),
            ("create table x (y int)", None),
            ("select 1", None),
        ] {
            assert_eq!(definition_tag(text), tag, "{text}");
        }
    }

    #[test]
    fn what_there_is_not_is_refused_in_plain_words() {
        for (text, reason) in [
            ("insert into segments values (1)", ROWS),
            ("delete from segments", ROWS),
            ("update segments set skill_id = 1", ROWS),
            ("truncate segments", ROWS),
            ("create table x as select 1", TABLES),
            ("create index i on segments (skill_id)", OTHER),
            ("grant select on x to y", OTHER),
            ("comment on table x is 'y'", OTHER),
            ("drop schema public cascade", OTHER),
            ("alter table x add column y int", COLUMNS),
            ("create materialized view v as select 1", MATERIALIZED),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        for text in
            ["create view", "create view v as", "drop view", "alter view v", "create view v as select 1; select 2"]
        {
            read(text).unwrap_err();
        }
    }
}
