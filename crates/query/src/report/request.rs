//! The parameters of a report request, checked.

use std::collections::BTreeSet;
use std::ops::Range;

use skillscope_segment::{END_OF_TIME, UserType, parse_instant};

use crate::Result;
use crate::parameters::{check_names, missing, only, refused, skills, version, whole};

pub(super) const MINUTE_MS: i64 = 60_000;
const MAX_TIMEFRAME: i64 = 1440;
const MIN_INTERVAL: i64 = 5;

/// A request for the report: which segments of an account to count, and how to cut them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReportRequest {
    account: String,
    parameters: ReportParameters,
}

/// The parameters of a report request made at some instant, for any account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReportParameters {
    end: i64,
    timeframe: i64,
    interval: Option<i64>,
    skills: Option<BTreeSet<i64>>,
    user_type: UserTypeFilter,
    is_as_known: bool,
}

/// Which user types count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserTypeFilter {
    /// Segments in which every assigned agent was human.
    Human,
    /// Segments in which every assigned agent was a bot.
    Bot,
    /// Every segment, also with both kinds of agents or with none.
    All,
}

impl UserTypeFilter {
    /// The user type of the segments that count; `None` where all count.
    pub fn only(self) -> Option<UserType> {
        match self {
            Self::Human => Some(UserType::Human),
            Self::Bot => Some(UserType::Bot),
            Self::All => None,
        }
    }
}

/// The conditions that a segment must meet to count, beside its account.
pub(crate) struct Selection<'r> {
    /// Ended within these milliseconds since the epoch.
    pub(crate) range: Range<i64>,
    /// In one of these skills; `None` for any.
    pub(crate) skills: Option<&'r BTreeSet<i64>>,
    pub(crate) user_type: UserTypeFilter,
    /// Had arrived by this instant; `None` for any.
    pub(crate) arrived_by: Option<i64>,
}

impl ReportRequest {
    /// A request for the report of `account`, made at the instant `now` (milliseconds since the epoch). An account
    /// that has no segments gives an empty report.
    ///
    /// # Errors
    /// As [`ReportParameters::parse`].
    pub fn from_parameters<N: AsRef<str>, V: AsRef<str>>(
        account: &str,
        now: i64,
        parameters: &[(N, V)],
    ) -> Result<Self> {
        Ok(Self { account: account.to_owned(), parameters: ReportParameters::parse(now, parameters)? })
    }

    /// The account whose segments are counted; it need not exist.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// A request for the report at an instant of the past, which the parameter `at` names (RFC 3339, or milliseconds since
    /// the epoch). With `asKnown=true` it is for [what was known](Self::as_known) then.
    ///
    /// # Errors
    /// As [`ReportParameters::parse`].
    pub fn of_past<N: AsRef<str>, V: AsRef<str>>(account: &str, parameters: &[(N, V)]) -> Result<Self> {
        check_names(&PAST_NAMES, parameters)?;
        let at = at(only(parameters, "at")?)?;
        let request = Self::from_parameters(account, at, parameters)?;
        Ok(if as_known(only(parameters, "asKnown")?)? { request.as_known() } else { request })
    }

    /// The same request for what was known then: segments count that had arrived by the instant of the request. Those
    /// that do not tell when they arrived count.
    pub fn as_known(mut self) -> Self {
        self.parameters.is_as_known = true;
        self
    }

    /// Whether it is for what was known then.
    pub fn is_as_known(&self) -> bool {
        self.parameters.is_as_known
    }

    /// The same request, made at another instant (milliseconds since the epoch).
    #[must_use]
    pub fn at(&self, now: i64) -> Self {
        Self { account: self.account.clone(), parameters: self.parameters.at(now) }
    }

    /// What is asked about it.
    pub fn parameters(&self) -> &ReportParameters {
        &self.parameters
    }
}

impl ReportParameters {
    /// Takes the parameters of a request made at the instant `now` (milliseconds since the epoch). Unknown parameters
    /// are ignored, unless it is letters' case or brackets alone that make them unknown.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for the first parameter that is missing, given twice, or not as the
    /// contract has it.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(now: i64, parameters: &[(N, V)]) -> Result<Self> {
        check_names(&NAMES, parameters)?;
        let find = |name| only(parameters, name);
        version(find("v")?)?;
        let timeframe = timeframe(find("timeframe")?)?;
        Ok(Self {
            end: now,
            timeframe,
            interval: find("interval")?.map(|value| interval(value, timeframe)).transpose()?,
            skills: find("skillIds")?.map(skills).transpose()?.flatten(),
            user_type: find("userType")?.map_or(Ok(UserTypeFilter::All), user_type)?,
            is_as_known: false,
        })
    }

    /// The same question, asked at another instant (milliseconds since the epoch).
    #[must_use]
    pub fn at(&self, now: i64) -> Self {
        Self { end: now, ..self.clone() }
    }

    /// The instants that count, in milliseconds: from the start up to, and without, the instant of the request.
    pub fn range(&self) -> Range<i64> {
        self.end.saturating_sub(self.timeframe * MINUTE_MS)..self.end
    }

    /// The length of an interval in milliseconds, where the answer is cut into intervals.
    pub fn interval_ms(&self) -> Option<i64> {
        self.interval.map(|minutes| minutes * MINUTE_MS)
    }

    /// The skills that count; `None` for all.
    pub fn skills(&self) -> Option<&BTreeSet<i64>> {
        self.skills.as_ref()
    }

    pub(crate) fn selection(&self) -> Selection<'_> {
        Selection {
            range: self.range(),
            skills: self.skills(),
            user_type: self.user_type,
            arrived_by: self.is_as_known.then_some(self.end),
        }
    }

    /// The user types that count.
    pub fn user_type(&self) -> UserTypeFilter {
        self.user_type
    }
}

/// The names of all parameters.
const NAMES: [&str; 5] = ["timeframe", "v", "skillIds", "interval", "userType"];

/// The names of those that a report of the past has beside them.
const PAST_NAMES: [&str; 2] = ["at", "asKnown"];

fn at(value: Option<&str>) -> Result<i64> {
    const RULE: &str =
        "it is an instant from 1970 to 2199: RFC 3339, such as 2026-01-31T14:05:00Z, or milliseconds since the epoch";
    let text = value.ok_or_else(|| missing("at", RULE))?;
    // A plus that is not escaped comes as a space.
    let instant = parse_instant(text).or_else(|_| parse_instant(&text.replace(' ', "+")));
    instant.ok().filter(|at| (0..END_OF_TIME).contains(at)).ok_or_else(|| refused("at", text, RULE))
}

fn as_known(value: Option<&str>) -> Result<bool> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(refused("asKnown", other, "it is true or false")),
    }
}

fn timeframe(value: Option<&str>) -> Result<i64> {
    const RULE: &str = "it is a whole number of minutes from 1 to 1440";
    let value = value.ok_or_else(|| missing("timeframe", RULE))?;
    whole(value)
        .filter(|minutes| (1..=MAX_TIMEFRAME).contains(minutes))
        .ok_or_else(|| refused("timeframe", value, RULE))
}

fn interval(value: &str, timeframe: i64) -> Result<i64> {
    let refuse = |rule: &str| refused("interval", value, rule);
    let minutes = whole(value)
        .filter(|minutes| *minutes >= MIN_INTERVAL)
        .ok_or_else(|| refuse("it is a whole number of minutes, at least 5"))?;
    if minutes > timeframe {
        return Err(refuse(&format!("it is at most the timeframe, which is {timeframe}")));
    }
    if timeframe % minutes != 0 {
        return Err(refuse(&format!("it divides the timeframe, which is {timeframe}")));
    }
    Ok(minutes)
}

fn user_type(value: &str) -> Result<UserTypeFilter> {
    match value {
        "human" => Ok(UserTypeFilter::Human),
        "bot" => Ok(UserTypeFilter::Bot),
        "all" => Ok(UserTypeFilter::All),
        _ => Err(refused("userType", value, "it is human, bot or all")),
    }
}
