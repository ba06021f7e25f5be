//! How often somebody who follows an answer wants it.

use std::borrow::Cow;
use std::time::Duration;

use utoipa::IntoParams;

use super::super::problem::Problem;

const NAME: &str = "every";
const DEFAULT: Duration = Duration::from_secs(5);
const RULE: &str = "it is a whole number of seconds from 1 to 60";

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is there to be described")]
pub(in crate::http) struct StreamQuery {
    /// Seconds from one event of a stream to the next; it is read for streams alone. Absent, it means 5.
    #[param(minimum = 1, maximum = 60)]
    every: Option<i64>,
}

/// The time from one event to the next that a request asks for.
pub(super) fn every(parameters: &[(Cow<'_, str>, Cow<'_, str>)]) -> Result<Duration, Problem> {
    let mut values = parameters.iter().filter(|(name, _)| name == NAME).map(|(_, value)| value.as_ref());
    let Some(value) = values.next() else { return Ok(DEFAULT) };
    if let Some(second) = values.next() {
        return Err(refused(second, "it is given more than once; give it once"));
    }
    let is_whole = value.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = value.parse().ok().filter(|seconds| is_whole && (1..=60).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| refused(value, RULE))
}

fn refused(value: &str, rule: &str) -> Problem {
    Problem::invalid_parameter(rule).blaming(NAME, Some(value.to_owned()))
}
