//! The headers by which a report tells how far its data go: an interval without segments may be a quiet one, or one of
//! which nothing has come. Whatever else is told of an account at an instant has them, too.

use std::time::{Duration, UNIX_EPOCH};

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use httpdate::HttpDate;
use skillscope_store::Feed;

/// The latest event or end of a segment of the account.
pub(super) const DATA_UNTIL: HeaderName = HeaderName::from_static("data-until");

/// When something was accepted of the account last.
pub(super) const LAST_ARRIVAL: HeaderName = HeaderName::from_static("last-arrival");

/// The first second that a date of HTTP cannot tell: the year 10000.
const END_OF_DATES: u64 = 253_402_300_800;

/// JSON with the headers of a feed.
pub(super) fn json(body: impl IntoResponse, feed: Option<Feed>) -> Response {
    let mut response = body.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(feed) = feed {
        add(response.headers_mut(), feed);
    }
    response
}

/// Adds the headers of a feed, each where its time is known.
fn add(headers: &mut HeaderMap, feed: Feed) {
    for (name, time) in [(DATA_UNTIL, feed.data_until), (LAST_ARRIVAL, feed.last_arrival)] {
        if let Some(date) = time.and_then(http_date) {
            headers.insert(name, date);
        }
    }
}

/// A time in milliseconds since the epoch as a date of HTTP, whose unit is the second: the one that it is in.
fn http_date(time: i64) -> Option<HeaderValue> {
    let seconds = u64::try_from(time).ok()? / 1000;
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).filter(|_| seconds < END_OF_DATES)?;
    HeaderValue::try_from(HttpDate::from(time).to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_by_its_second() {
        let told = |time| http_date(time).map(|date| date.to_str().unwrap().to_owned());
        // The example of RFC 9110.
        assert_eq!(told(784_111_777_999).as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(told(0).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(told(253_402_300_799_999).as_deref(), Some("Fri, 31 Dec 9999 23:59:59 GMT"));
        assert_eq!([-1, 253_402_300_800_000, i64::MAX].map(told), [None, None, None]);
    }
}
