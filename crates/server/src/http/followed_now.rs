//! What is open, as it is followed.

use axum::body::Bytes;
use skillscope_query::NowRequest;

use super::live_answer::cells;
use super::problem::Problem;
use super::streams::{Followed, event};
use crate::App;

impl Followed for NowRequest {
    type Source = App;

    /// On the threads for reports, as the report is.
    async fn answer(&self, app: &App) -> Result<Bytes, Problem> {
        let (request, told) = (self.clone(), app.clone());
        let cells = cells(app, self.account());
        let work = async move {
            let at = told.engine().clock().now();
            let body = told.engine().now_at(&request, at);
            event("now", at, |out| out.extend_from_slice(body.as_bytes()))
        };
        let (event, _place) = app.threads().reports.run(cells, work).await?;
        Ok(event.into())
    }
}
