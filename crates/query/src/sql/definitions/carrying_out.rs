//! Carrying out what a statement that defines asks for.

use std::collections::BTreeSet;

use datafusion::common::plan_datafusion_err;
use datafusion::sql::sqlparser::ast::ObjectName;
use skillscope_store::{IfThere, Relation, RelationError, RelationKind, RelationName, Store};

use super::place::Place;
use super::reading::{Definition, NewView, read};
use super::{Authority, Defined, TemporaryViews};
use crate::sql::catalog::{PUBLIC, is_ours};
use crate::sql::statement::plan_view;
use crate::sql::surroundings::Surroundings;
use crate::sql::words::check_words;
use crate::{Error, Result, Scope};

/// A statement that defines, and everything that it needs.
pub(in crate::sql) struct Task<'t> {
    pub(in crate::sql) text: &'t str,
    pub(in crate::sql) authority: &'t Authority,
    pub(in crate::sql) visible: &'t Surroundings,
    pub(in crate::sql) store: &'t Store,
    pub(in crate::sql) scope: &'t Scope,
}

/// Checks a statement that defines, without carrying it out.
///
/// # Errors
/// As [`carry_out`], as far as that can be known before.
pub(in crate::sql) fn check(text: &str) -> Result<()> {
    check_words(text).map_err(Error::of_sql)?;
    read(text).map(drop)
}

/// Does what a statement asks for. It is durable when this returns. This waits for the disk.
///
/// # Errors
/// Where the session may not, where a view cannot be planned, or where the disk fails.
pub(in crate::sql) fn carry_out(task: &Task<'_>) -> Result<Defined> {
    check_words(task.text).map_err(Error::of_sql)?;
    let definition = read(task.text)?;
    task.authority.check_writes()?;
    let tag = definition.tag();
    let notice = match definition {
        Definition::CreateView(view) => task.create(&view)?,
        Definition::Drop { kind, names, if_exists } => task.drop(kind, &names, if_exists)?,
        Definition::Rename { kind, name, to, if_exists } => {
            let (name, to) = (task.place(&name)?, task.place(&to)?);
            or_notice(task.rename(kind, &name, &to), if_exists)?
        }
        Definition::CreateSchema { name, if_not_exists } => create_schema(&name, if_not_exists)?,
    };
    Ok(Defined { tag, notice })
}

impl Task<'_> {
    fn place(&self, name: &ObjectName) -> Result<Place> {
        Place::of(name, self.visible).map_err(Error::of_sql)
    }

    fn create(&self, view: &NewView) -> Result<Option<String>> {
        let place = self.place(&view.name)?;
        let is_temporary = view.is_temporary || place.is_temporary;
        if is_temporary && place.is_public {
            return Err(Error::of_sql(plan_datafusion_err!("a temporary view is in no schema; leave {PUBLIC} out")));
        }
        if !is_temporary {
            self.authority.check_administers()?;
        }
        let name = place.new_name()?;
        let made = if is_temporary { self.create_temporary(name, view) } else { self.create_kept(name, view) };
        match made {
            Err(Error::Relation(RelationError::Exists { name })) if view.if_not_exists => {
                Ok(Some(format!("relation \"{name}\" already exists, skipping")))
            }
            made => made.map(|()| None),
        }
    }

    fn create_temporary(&self, name: RelationName, view: &NewView) -> Result<()> {
        let views = self.authority.temporary.as_ref().ok_or(Error::NoTemporaryViews)?;
        let kept = Relation::view(None, name.clone(), &view.query)?;
        self.check_plan(name.as_str(), true, &view.query)?;
        views.put(kept.name().clone(), &view.query, view.may_replace)?;
        Ok(())
    }

    fn create_kept(&self, name: RelationName, view: &NewView) -> Result<()> {
        let owner = self.scope.account().cloned();
        let relation = Relation::view(owner.clone(), name.clone(), &view.query)?;
        let if_there = if view.may_replace { IfThere::Replace } else { IfThere::Refuse };
        // What is there is told before what is wrong with the query.
        if !view.may_replace && self.store.relations().own(owner.as_ref(), &name).is_some() {
            return Err(RelationError::Exists { name }.into());
        }
        self.check_plan(name.as_str(), false, &view.query)?;
        self.store.put_relation(relation, if_there).map_err(Error::of_relations)
    }

    /// Checks that a view can be read, by who makes it.
    fn check_plan(&self, name: &str, is_temporary: bool, query: &str) -> Result<()> {
        let visible = self.visible.within(name, is_temporary).map_err(Error::of_sql)?;
        plan_view(&visible, query).map(drop).map_err(Error::of_sql)
    }

    /// Drops all of these, or none of them.
    fn drop(&self, kind: RelationKind, names: &[ObjectName], if_exists: bool) -> Result<Option<String>> {
        let (mut temporary, mut kept, mut notices) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for name in names {
            let place = self.place(name)?;
            let name = RelationName::parse(&place.name)?;
            let is_temporary = self.temporary(&place, &name).is_some();
            let found =
                if is_temporary { self.check_temporary(kind, &name) } else { self.check_kept(kind, &place, &name) };
            match or_notice(found, if_exists)? {
                Some(notice) => notices.push(notice),
                None => {
                    let dropped = if is_temporary { &mut temporary } else { &mut kept };
                    dropped.insert(name);
                }
            }
        }
        if !kept.is_empty() {
            let kept: Vec<RelationName> = kept.into_iter().collect();
            self.store.remove_relations(self.scope.account(), &kept, kind).map_err(Error::of_relations)?;
        }
        if let Some(views) = &self.authority.temporary {
            temporary.iter().try_for_each(|name| views.remove(name))?;
        }
        Ok((!notices.is_empty()).then(|| notices.join("; ")))
    }

    /// Checks that a view of the session may be dropped.
    fn check_temporary(&self, kind: RelationKind, name: &RelationName) -> Result<()> {
        let is_there = self.authority.temporary.as_ref().is_some_and(|views| views.has(name));
        match (is_there, kind) {
            (false, _) => Err(RelationError::Missing { kind, name: name.clone() }.into()),
            (true, RelationKind::Table) => {
                let (name, kind) = (name.clone(), RelationKind::View);
                Err(RelationError::WrongKind { name, kind, wanted: RelationKind::Table }.into())
            }
            (true, RelationKind::View) => Ok(()),
        }
    }

    /// Checks that a table or view of the store may be dropped.
    fn check_kept(&self, kind: RelationKind, place: &Place, name: &RelationName) -> Result<()> {
        self.authority.check_administers()?;
        self.check_not_ours(place)?;
        let known = self.store.relations();
        let missing = || self.told(RelationError::Missing { kind, name: name.clone() }.into(), name);
        let known = known.own(self.scope.account(), name).ok_or_else(missing)?;
        known.check_kind(kind)?;
        Ok(())
    }

    fn rename(&self, kind: Option<RelationKind>, place: &Place, to: &Place) -> Result<()> {
        let (name, new) = (RelationName::parse(&place.name)?, to.new_name()?);
        if let Some(views) = self.temporary(place, &name) {
            return Ok(views.rename(&name, new)?);
        }
        self.authority.check_administers()?;
        self.check_not_ours(place)?;
        let renamed = self.store.rename_relation(self.scope.account(), &name, kind, new);
        renamed.map_err(|error| self.told(error, &name))
    }

    /// The session's own views, where the name means one of them.
    fn temporary(&self, place: &Place, name: &RelationName) -> Option<&TemporaryViews> {
        let views = self.authority.temporary.as_deref()?;
        (place.is_temporary || (!place.is_public && views.has(name))).then_some(views)
    }

    fn check_not_ours(&self, place: &Place) -> Result<()> {
        if is_ours(&place.name) && self.visible.has_ours(&place.name) {
            return Err(Error::Ours { name: place.name.clone() });
        }
        Ok(())
    }

    /// An account is told where it sees what it cannot change.
    fn told(&self, error: skillscope_store::Error, name: &RelationName) -> Error {
        let is_missing = matches!(&error, skillscope_store::Error::Relation(RelationError::Missing { .. }));
        if is_missing && self.scope.account().is_some() && self.store.relations().own(None, name).is_some() {
            return Error::OfAllAccounts { name: name.to_string() };
        }
        Error::of_relations(error)
    }
}

/// An error of what is not there is none where the statement says `IF EXISTS`.
fn or_notice(done: Result<()>, if_exists: bool) -> Result<Option<String>> {
    match done {
        Err(Error::Relation(missing @ RelationError::Missing { .. })) if if_exists => {
            Ok(Some(format!("{missing}, skipping")))
        }
        done => done.map(|()| None),
    }
}

fn create_schema(name: &str, if_not_exists: bool) -> Result<Option<String>> {
    match (name, if_not_exists) {
        (PUBLIC, true) => Ok(Some(format!("schema \"{PUBLIC}\" already exists, skipping"))),
        (PUBLIC, false) => Err(Error::of_sql(plan_datafusion_err!("schema \"{PUBLIC}\" already exists"))),
        _ => Err(Error::of_sql(plan_datafusion_err!(
            "there is only the schema {PUBLIC} for tables and views, and no \"{name}\""
        ))),
    }
}
