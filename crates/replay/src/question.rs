//! The report that is asked for, of which account and at which instants.

use std::ops::Range;

use skillscope_query::{CellRequest, KnownAt, ReportParameters, Scope, UserTypeFilter};

use crate::{Error, Instants, Result};

/// A report that is asked for at many instants.
#[derive(Debug, Clone)]
pub struct Question {
    scope: Scope,
    instants: Instants,
    /// The parameters at the first instant.
    parameters: ReportParameters,
    /// Whether each report counts what had arrived by its instant, and not what has come since.
    is_as_known: bool,
}

impl Question {
    /// The reports of the accounts in `scope`, with parameters of the endpoint (without `v`).
    ///
    /// # Errors
    /// Where the endpoint would refuse a parameter.
    pub fn new(scope: Scope, instants: Instants, parameters: &[(&str, String)]) -> Result<Self> {
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).chain([("v", "1")]).collect();
        let parameters = ReportParameters::parse(instants.first(), &parameters).map_err(Error::Query)?;
        Ok(Self { scope, instants, parameters, is_as_known: false })
    }

    /// The same question for what was known then: each report counts what had arrived by its instant. Segments that do
    /// not tell when they arrived always count.
    pub fn as_known(self) -> Self {
        Self { is_as_known: true, ..self }
    }

    /// The accounts that are reported on.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The instants of the reports.
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

    /// The end times of the segments that count for the report at `place` or for a later one.
    pub(crate) fn span_from(&self, place: u64) -> Range<i64> {
        self.instants.at(place).saturating_sub(self.timeframe())..self.instants.last()
    }

    /// The length of a slice, in milliseconds. Every report and every interval begins and ends at a multiple of it
    /// after [`origin`](Self::origin).
    pub(crate) fn slice(&self) -> i64 {
        greatest_common_divisor(self.instants.every(), self.interval().unwrap_or(self.timeframe()))
    }

    /// The instant at which a slice begins: the start of the first report.
    pub(crate) fn origin(&self) -> i64 {
        self.parameters.range().start
    }

    /// The question for the counts of each skill and slice in a stretch of time.
    pub(crate) fn cells(&self, range: Range<i64>) -> CellRequest {
        CellRequest {
            scope: self.scope.clone(),
            range,
            origin: self.origin(),
            slice_ms: self.slice(),
            skills: self.parameters.skills().cloned(),
            user_type: self.parameters.user_type(),
            known_at: self.is_as_known.then(|| KnownAt {
                first: self.instants.first(),
                every: self.instants.every(),
                last: self.instants.last(),
            }),
        }
    }

    /// The question as text by which a checkpoint knows it again. Two questions have the same text only if they have
    /// the same reports, and the text of a question never changes: an interrupted replay goes on after an update.
    pub(crate) fn identity(&self) -> String {
        let Self { scope, instants, parameters, is_as_known } = self;
        let (from, to, every) = (instants.first(), instants.last(), instants.every());
        let timeframe = self.timeframe();
        let interval = self.interval().map_or("none".to_owned(), |interval| interval.to_string());
        let skills = parameters
            .skills()
            .map_or("all".to_owned(), |skills| skills.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
        let user_type = match parameters.user_type() {
            UserTypeFilter::Human => "human",
            UserTypeFilter::Bot => "bot",
            UserTypeFilter::All => "all",
        };
        let accounts = match scope {
            Scope::Account(account) => format!("account {account}"),
            Scope::All => "all accounts".to_owned(),
        };
        let known = if *is_as_known { ", as known then" } else { "" };
        format!(
            "from {from} to {to} every {every}, timeframe {timeframe}, interval {interval}, skills {skills}, \
             user type {user_type}, {accounts}{known}"
        )
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a.max(1) } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use skillscope_segment::AccountId;

    use super::*;

    fn identity(scope: Scope, parameters: &[(&str, &str)]) -> String {
        let instants = Instants::new(1_516_230_000_000, 1_516_265_515_679, 300_000).unwrap();
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Question::new(scope, instants, &parameters).unwrap().identity()
    }

    #[test]
    fn a_question_is_known_again_by_a_text_that_never_changes() {
        assert_eq!(
            identity(Scope::Account(AccountId::parse("acme").unwrap()), &[("timeframe", "60")]),
            "from 1516230000000 to 1516265400000 every 300000, timeframe 3600000, interval none, skills all, \
             user type all, account acme"
        );
        let all = [("timeframe", "60"), ("interval", "15"), ("skillIds", "153,4,-1"), ("userType", "human")];
        assert_eq!(
            identity(Scope::All, &all),
            "from 1516230000000 to 1516265400000 every 300000, timeframe 3600000, interval 900000, skills -1,4,153, \
             user type human, all accounts"
        );
    }
}
