//! Requests over HTTP.

use super::{Budgets, Definition, Exposition, word};
use crate::statistics::HttpStatistics;

const REQUESTS: Definition = Definition::counter(
    "skillscope_http_requests",
    &["route", "method", "status"],
    "Requests that were answered. The route `/` is the web console with what it loads, `other` all paths at which there is nothing; the status 499 says that the client left before the answer.",
);

const DURATION: Definition = Definition::histogram(
    "skillscope_http_request_duration",
    &["route", "method"],
    "From a request's head to the end of its answer, or to the beginning of a stream.",
)
.in_seconds();

const IN_PROGRESS: Definition = Definition::gauge(
    "skillscope_http_requests_in_progress",
    &[],
    "Requests whose answers have not ended, streams aside.",
);

const TURNED_AWAY: Definition = Definition::counter(
    "skillscope_http_turned_away",
    &["use"],
    "Requests that were answered 503, since others had the memory that there is for this use.",
);

pub(super) fn add(all: &mut Exposition, http: &HttpStatistics, budgets: &Budgets) {
    let (mut requests, mut durations) = (Vec::new(), Vec::new());
    for counted in http.read() {
        let (route, method) = (counted.route, word(counted.method));
        for (status, number) in counted.statuses {
            requests.push(([route.clone().into(), method.clone(), status.to_string().into()], number.into()));
        }
        durations.push(([route.into(), method], counted.seconds.into()));
    }
    all.family(&REQUESTS, requests);
    all.family(&DURATION, durations);
    all.single(&IN_PROGRESS, http.in_progress());
    let turned_away = [("request_bodies", &budgets.bodies), ("reports", &budgets.reports)];
    all.family(&TURNED_AWAY, turned_away.map(|(of, budget)| ([word(of)], budget.turned_away.into())));
}
