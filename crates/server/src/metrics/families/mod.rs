//! The metrics, a file a subject: their definitions, and where their values come from.

mod authentication;
mod connections;
mod conversations;
mod health;
mod ingestion;
mod journal;
mod memory;
mod process;
mod requests;
mod statements;
mod storage;
mod streams;

use std::borrow::Cow;

use super::definition::Definition;
use super::exposition::Exposition;
use crate::App;
use crate::statistics::HttpStatistics;
pub(crate) use memory::Budgets;

/// A label whose value is known in advance.
const fn word(word: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(word)
}

/// All metrics, as they are now. It looks through everything that is stored, on the calling thread.
pub(crate) fn gather(app: &App, http: &HttpStatistics, budgets: &Budgets) -> Exposition {
    let mut all = Exposition::default();
    let store = app.store();
    let (counts, held, load) = (store.counts(), store.holdings(), app.engine().sql_load());
    health::add(&mut all, app);
    authentication::add(&mut all, app.access());
    requests::add(&mut all, http, budgets);
    streams::add(&mut all, &app.statistics().streams);
    connections::add(&mut all, app.statistics());
    statements::add(&mut all, app.engine().sql_counts(), &load);
    ingestion::add(&mut all, app, &counts, &held);
    conversations::add(&mut all, &counts, &held);
    memory::add(&mut all, &held.memory, &load, budgets);
    storage::add(&mut all, app.statistics(), &held, &counts);
    journal::add(&mut all, counts.journal, held.journal_bytes);
    process::add(&mut all);
    all
}
