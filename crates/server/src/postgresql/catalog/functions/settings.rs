//! Settings, as functions read and set them.

use datafusion::common::exec_datafusion_err;

use super::call::{Answer, CatalogFunction, Returns};

pub(super) const ALL: &[CatalogFunction] = &[
    CatalogFunction::new(&["current_setting"], 1..=2, Returns::Text, |asked, row| {
        let name = row.text(0).unwrap_or_default();
        match asked.session.settings.shown(name) {
            Ok(value) => Ok(Answer::text(value)),
            Err(_) if row.flag(1).unwrap_or(false) => Ok(None),
            Err(unknown) => Err(exec_datafusion_err!("{unknown}")),
        }
    }),
    CatalogFunction::new(&["set_config"], 3..=3, Returns::Text, |asked, row| {
        let (Some(name), value, is_local) = (row.text(0), row.text(1), row.flag(2).unwrap_or(false)) else {
            return Ok(None);
        };
        let settings = &asked.session.settings;
        settings.set(name, value, is_local).map_err(|wrong| exec_datafusion_err!("{wrong}"))?;
        Ok(settings.shown(name).ok().map(Answer::Text))
    })
    .with_nulls()
    .volatile(),
];
