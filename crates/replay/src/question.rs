use std::ops::Range;

use skillscope_query::{CellRequest, ReportParameters, Scope};

use crate::{Error, Instants, Result};

/// What is asked at every instant.
#[derive(Debug, Clone)]
pub struct Question {
    scope: Scope,
    instants: Instants,
    /// As they are at the first instant.
    parameters: ReportParameters,
}

impl Question {
    /// The report of every account in `scope`, with these parameters of the endpoint (without `v`).
    ///
    /// # Errors
    /// Where a parameter is not as the endpoint has it.
    pub fn new(scope: Scope, instants: Instants, parameters: &[(&str, String)]) -> Result<Self> {
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).chain([("v", "1")]).collect();
        let parameters = ReportParameters::parse(instants.first(), &parameters).map_err(Error::Query)?;
        Ok(Self { scope, instants, parameters })
    }

    /// The accounts that are reported on.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// When it is asked.
    pub fn instants(&self) -> &Instants {
        &self.instants
    }

    /// The timeframe's length in milliseconds.
    pub(crate) fn timeframe(&self) -> i64 {
        let range = self.parameters.range();
        range.end.saturating_sub(range.start)
    }

    pub(crate) fn interval(&self) -> Option<i64> {
        self.parameters.interval_ms()
    }

    /// The end times that count for the reports from the one at this place on.
    pub(crate) fn span_from(&self, place: u64) -> Range<i64> {
        self.instants.at(place).saturating_sub(self.timeframe())..self.instants.last()
    }

    /// The distance of instants at which a report or an interval can begin or end, counted from
    /// [`origin`](Self::origin): they are `every` apart, and an interval or a timeframe.
    pub(crate) fn slice(&self) -> i64 {
        greatest_common_divisor(self.instants.every(), self.interval().unwrap_or(self.timeframe()))
    }

    pub(crate) fn origin(&self) -> i64 {
        self.parameters.range().start
    }

    /// The question for the cells of a stretch of time.
    pub(crate) fn cells(&self, range: Range<i64>) -> CellRequest {
        CellRequest {
            scope: self.scope.clone(),
            range,
            origin: self.origin(),
            slice_ms: self.slice(),
            skills: self.parameters.skills().cloned(),
            user_type: self.parameters.user_type(),
        }
    }

    /// The question in text, the same for the same question.
    pub(crate) fn describe(&self) -> String {
        format!("{self:?}")
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a.max(1) } else { greatest_common_divisor(b, a % b) }
}
