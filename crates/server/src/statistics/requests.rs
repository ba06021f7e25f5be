//! Requests over HTTP, by route, method and status.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::http::{Method, StatusCode};
use skillscope_store::{Distribution, Histogram};

/// The methods that are told apart; all others are one.
const METHODS: [&str; 8] = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "other"];

/// The route of all paths at which there is nothing.
const NO_ROUTE: &str = "other";

/// The status of a request whose client left before the answer. No answer has it.
const CLIENT_LEFT: u16 = 499;

/// Statuses have three digits, from 100 on.
const FIRST_STATUS: u16 = 100;
const STATUSES: usize = 500;

/// Counts requests. A request costs a look-up of its route, and some atomic additions.
pub(crate) struct HttpStatistics {
    /// The places of the routes, by path.
    places: HashMap<String, usize>,
    /// The last one is for all other paths.
    routes: Vec<Route>,
    in_progress: AtomicU64,
}

struct Route {
    path: String,
    /// Those of methods that were never used take no memory.
    methods: [OnceLock<Box<Counts>>; METHODS.len()],
}

struct Counts {
    statuses: [AtomicU64; STATUSES],
    times: Histogram,
}

/// The requests of one route and method.
pub(crate) struct RequestCounts {
    pub(crate) route: String,
    pub(crate) method: &'static str,
    /// The statuses that were answered, and how often.
    pub(crate) statuses: Vec<(u16, u64)>,
    pub(crate) seconds: Distribution,
}

/// A request under way. It is counted when this is dropped.
pub(crate) struct CountedRequest {
    statistics: Arc<HttpStatistics>,
    route: usize,
    method: usize,
    status: u16,
    start: Instant,
}

impl HttpStatistics {
    /// Counts requests of the routes with these paths. Those of `alike` are counted as one, by the first of them.
    pub(crate) fn new(paths: impl IntoIterator<Item = String>, alike: &[&str]) -> Arc<Self> {
        let first = alike.first().map(|path| (*path).to_owned());
        let paths = paths.into_iter().chain(first).chain([NO_ROUTE.to_owned()]);
        let routes: Vec<Route> = paths.map(Route::new).collect();
        let mut places: HashMap<String, usize> =
            routes.iter().enumerate().map(|(place, route)| (route.path.clone(), place)).collect();
        if let Some(place) = alike.first().and_then(|first| places.get(*first).copied()) {
            places.extend(alike.iter().map(|path| ((*path).to_owned(), place)));
        }
        Arc::new(Self { places, routes, in_progress: AtomicU64::new(0) })
    }

    /// A request has come, of the route whose path was matched.
    pub(crate) fn begin(self: &Arc<Self>, path: Option<&str>, method: &Method) -> CountedRequest {
        let known = path.and_then(|path| self.places.get(path).or_else(|| self.places.get(path.trim_end_matches('/'))));
        let route = known.copied().unwrap_or(self.routes.len().saturating_sub(1));
        let method = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len() - 1);
        self.in_progress.fetch_add(1, Ordering::Relaxed);
        CountedRequest { statistics: Arc::clone(self), route, method, status: CLIENT_LEFT, start: Instant::now() }
    }

    /// The requests whose answers have not ended.
    pub(crate) fn in_progress(&self) -> u64 {
        self.in_progress.load(Ordering::Relaxed)
    }

    /// What was counted so far.
    pub(crate) fn read(&self) -> Vec<RequestCounts> {
        let of_route = |route: &Route| {
            let methods = METHODS.into_iter().zip(&route.methods);
            let used = methods.filter_map(|(method, counts)| Some((method, counts.get()?)));
            used.map(|(method, counts)| counts.read(&route.path, method)).collect::<Vec<_>>()
        };
        self.routes.iter().flat_map(of_route).collect()
    }
}

impl Route {
    fn new(path: String) -> Self {
        Self { path, methods: METHODS.map(|_| OnceLock::new()) }
    }
}

impl Counts {
    fn new() -> Box<Self> {
        Box::new(Self { statuses: [const { AtomicU64::new(0) }; STATUSES], times: Histogram::of_seconds() })
    }

    fn read(&self, route: &str, method: &'static str) -> RequestCounts {
        let numbers = (FIRST_STATUS..).zip(self.statuses.iter().map(|count| count.load(Ordering::Relaxed)));
        RequestCounts {
            route: route.to_owned(),
            method,
            statuses: numbers.filter(|(_, number)| *number > 0).collect(),
            seconds: self.times.read(),
        }
    }
}

impl CountedRequest {
    /// The status of the answer.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = status.as_u16();
    }
}

impl Drop for CountedRequest {
    fn drop(&mut self) {
        let statistics = &self.statistics;
        statistics.in_progress.fetch_sub(1, Ordering::Relaxed);
        let route = statistics.routes.get(self.route);
        let Some(counts) = route.and_then(|route| route.methods.get(self.method)) else { return };
        let counts = counts.get_or_init(Counts::new);
        let place = usize::from(self.status.saturating_sub(FIRST_STATUS)).min(STATUSES - 1);
        if let Some(count) = counts.statuses.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        counts.times.add_since(self.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Route, method, and how often each status was answered.
    type Read = (String, &'static str, Vec<(u16, u64)>);

    fn read(statistics: &HttpStatistics) -> Vec<Read> {
        statistics.read().into_iter().map(|counts| (counts.route, counts.method, counts.statuses)).collect()
    }

    #[test]
    fn requests_are_counted_by_route_method_and_status() {
        let statistics = HttpStatistics::new(["/a/{b}".to_owned()], &[]);
        statistics.begin(Some("/a/{b}"), &Method::GET).answered(StatusCode::OK);
        statistics.begin(Some("/a/{b}/"), &Method::GET).answered(StatusCode::OK);
        drop(statistics.begin(Some("/a/{b}"), &Method::POST));
        let of_route = |method, statuses: &[(u16, u64)]| ("/a/{b}".to_owned(), method, statuses.to_vec());
        assert_eq!(read(&statistics), [of_route("GET", &[(200, 2)]), of_route("POST", &[(499, 1)])]);
        assert_eq!((statistics.in_progress(), statistics.read()[0].seconds.count()), (0, 2));
    }

    #[test]
    fn routes_that_are_alike_count_as_the_first() {
        let statistics = HttpStatistics::new(["/a".to_owned()], &["/", "/b/{c}"]);
        for path in ["/a", "/", "/b/{c}"] {
            statistics.begin(Some(path), &Method::GET).answered(StatusCode::OK);
        }
        let of_route = |route: &str, number| (route.to_owned(), "GET", vec![(200, number)]);
        assert_eq!(read(&statistics), [of_route("/a", 1), of_route("/", 2)]);
    }

    #[test]
    fn what_comes_from_outside_makes_no_series() {
        let statistics = HttpStatistics::new(["/a".to_owned()], &[]);
        for method in ["BREW", "MAKE", "GET"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            for path in [None, Some("/nowhere")] {
                statistics.begin(path, &method).answered(StatusCode::NOT_FOUND);
            }
        }
        let other = |method, number| ("other".to_owned(), method, vec![(404, number)]);
        assert_eq!(read(&statistics), [other("GET", 2), other("other", 4)]);
    }
}
