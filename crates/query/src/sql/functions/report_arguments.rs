//! The arguments of functions that are asked as the report is.

use std::fmt;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use skillscope_segment::{AccountId, TIME_ZONE};

use crate::{ReportRequest, Scope};

/// The account, the instant and the timeframe.
const REQUIRED: usize = 3;

/// A function whose arguments are an account, an instant, a timeframe, and others that may be left out.
#[derive(Debug)]
pub(super) struct ReportFunction {
    pub(super) name: &'static str,
    /// How it is called.
    pub(super) usage: &'static str,
    /// The names of its parameters, in the order of their places.
    pub(super) parameters: &'static [(&'static str, Kind)],
}

/// What the argument of a parameter is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Instant,
    Number,
    Flag,
}

impl Kind {
    /// The type that a parameter of a statement has in this place.
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Instant => DataType::Timestamp(TimeUnit::Millisecond, Some(TIME_ZONE.into())),
            Self::Number => DataType::Int64,
            Self::Flag => DataType::Boolean,
        }
    }
}

impl ReportFunction {
    /// The types of its arguments where they are parameters of a statement.
    pub(super) fn types(&self) -> impl Iterator<Item = DataType> {
        self.parameters.iter().map(|(_, kind)| kind.data_type())
    }

    /// Refuses a call with fewer arguments than three, or more than it takes.
    pub(super) fn check_number(&self, arguments: usize) -> Result<()> {
        let Self { name, usage, parameters } = self;
        if arguments < REQUIRED {
            return plan_err!("{name} takes at least three arguments: {usage}");
        }
        if arguments > parameters.len() {
            return plan_err!("{name} takes at most {} arguments: {usage}", parameters.len());
        }
        Ok(())
    }

    /// The values of the arguments of a call. The planner has computed what needs no rows, such as
    /// `now() - interval '1 day'`.
    pub(super) fn values(&self, arguments: &[Expr]) -> Result<Vec<ScalarValue>> {
        let value = |argument: &Expr| match argument {
            Expr::Literal(value, _) => Ok(value.clone()),
            other => plan_err!("{}: an argument is a value, and not {other}", self.name),
        };
        arguments.iter().map(value).collect()
    }

    /// The first three of the values, and those that may be left out, which are null where they are.
    pub(super) fn take<'v, const OPTIONS: usize>(
        &self,
        values: &'v [ScalarValue],
    ) -> Result<([&'v ScalarValue; 3], [&'v ScalarValue; OPTIONS])> {
        self.check_number(values.len())?;
        let [account, now, timeframe, options @ ..] = values else {
            return plan_err!("{}: an argument is missing: {}", self.name, self.usage);
        };
        let option = |place: usize| options.get(place).unwrap_or(&ScalarValue::Null);
        Ok(([account, now, timeframe], std::array::from_fn(option)))
    }

    /// The request of a report, by parameters as the endpoint has them; one that is null is not given.
    pub(super) fn request(
        &self,
        scope: &Scope,
        [account, now, timeframe]: [&ScalarValue; 3],
        options: &[(&'static str, &ScalarValue)],
    ) -> Result<ReportRequest> {
        let account = self.account(scope, account)?;
        let mut parameters = vec![("v", "1".to_owned()), ("timeframe", self.text("timeframe", timeframe)?)];
        for (name, value) in options {
            if !value.is_null() {
                parameters.push((*name, self.text(name, value)?));
            }
        }
        let request = ReportRequest::from_parameters(&account, self.instant("second", now)?, &parameters);
        request.map_err(|error| self.refused(error))
    }

    /// The account of the report; null stands for the session's own. A session of one account may not ask for another.
    fn account(&self, scope: &Scope, value: &ScalarValue) -> Result<String> {
        let name = self.name;
        match (value.try_as_str(), scope) {
            (Some(Some(account)), scope) if scope.includes(account) => match AccountId::parse(account) {
                Ok(account) => Ok(account.to_string()),
                Err(error) => Err(self.refused(error)),
            },
            (Some(Some(_)), _) => plan_err!("{name}: this session sees its own account only"),
            (_, Scope::Account(own)) if value.is_null() => Ok(own.to_string()),
            _ => plan_err!("{name}: the first argument is an account, as text; it was {value}"),
        }
    }

    /// The instant that the argument in a place is, in milliseconds since the epoch: as a time, as text, or as that
    /// number.
    pub(super) fn instant(&self, place: &str, value: &ScalarValue) -> Result<i64> {
        if let Some(Some(text)) = value.try_as_str() {
            return skillscope_segment::parse_instant(text).map_err(|error| self.refused(error));
        }
        let milliseconds =
            || value.cast_to(&DataType::Timestamp(TimeUnit::Millisecond, None))?.cast_to(&DataType::Int64);
        let ms = if let ScalarValue::Int64(_) = value { Ok(value.clone()) } else { milliseconds() };
        match ms {
            Ok(ScalarValue::Int64(Some(ms))) => Ok(ms),
            _ => plan_err!("{}: the {place} argument is an instant; it was {value}", self.name),
        }
    }

    /// An argument as the text that the endpoint would be given.
    pub(super) fn text(&self, argument: &str, value: &ScalarValue) -> Result<String> {
        match value.cast_to(&DataType::Utf8)? {
            ScalarValue::Utf8(Some(text)) => Ok(text),
            _ => plan_err!("{}: {argument} has no value: {}", self.name, self.usage),
        }
    }

    /// The error of a call that the report refuses.
    pub(super) fn refused(&self, error: impl fmt::Display) -> DataFusionError {
        DataFusionError::Plan(format!("{}: {error}", self.name))
    }
}
