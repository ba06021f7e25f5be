//! Answers about what is open at this instant, computed where there is room for them.

use axum::response::Response;
use skillscope_query::Engine;
use skillscope_segment::AccountId;

use super::feed_headers;
use super::problem::Problem;
use crate::App;

/// About the cells of a report that take as long as a skill.
const CELLS_PER_SKILL: u64 = 8;

/// What is told of at most 256 skills takes about a millisecond, and waits for nothing: it is computed where it was
/// asked for.
const FEW_CELLS: u64 = 256 * CELLS_PER_SKILL;

/// About the cells of a report that take as long as what is told of all skills of an account.
pub(super) fn cells(app: &App, account: &str) -> u64 {
    let skills = app.store().moment().open.account(account).map_or(0, |open| open.skills().count());
    CELLS_PER_SKILL.saturating_mul(skills as u64)
}

/// What `tell` says of an account, as JSON with the headers of its feed. It waits for no statement.
pub(super) async fn live_answer(
    app: App,
    account: &AccountId,
    tell: impl FnOnce(&Engine) -> String + Send + 'static,
) -> Result<Response, Problem> {
    // Before it is told, so that the headers promise nothing that is not in it.
    let feed = app.store().feed(account.as_str());
    let cells = cells(&app, account.as_str());
    if cells <= FEW_CELLS {
        return Ok(feed_headers::json(tell(app.engine()), feed));
    }
    let threads = app.clone();
    let (body, place) = threads.threads().reports.run(cells, async move { tell(app.engine()) }).await?;
    let mut response = feed_headers::json(body, feed);
    response.extensions_mut().insert(place);
    Ok(response)
}
