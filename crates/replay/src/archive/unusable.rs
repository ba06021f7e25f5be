//! Rows that reports cannot count: they lack an account, a skill or a time, or have words that nobody knows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit, when};
use skillscope_query::{CellRequest, Scope};
use skillscope_segment::{Outcome, UserType, column};

use super::SkippedFile;
use super::folder::Folder;
use super::parquet_file::ParquetFile;
use super::scan::{Columns, scan};
use crate::plan_runner::{PlacedPlan, PlanRunner};
use crate::{Error, Result};

/// The most problems of a file that are told.
const TOLD: usize = 3;

/// The most letters of a word that are told.
const TOLD_LETTERS: usize = 60;

const REASON: &str = "reason";
const ROWS: &str = "rows";

impl Folder {
    /// The first file with rows in scope, and in a range of time or without one, that reports cannot count. With
    /// `if_lacking`, among the files alone whose footers leave open whether rows lack a time or an account.
    pub(super) async fn unusable(
        &self,
        runner: &PlanRunner,
        scope: &Scope,
        range: &Range<i64>,
        if_lacking: bool,
    ) -> Result<Option<SkippedFile>> {
        for file in self.touched(scope, range).filter(|file| file.may_lack || !if_lacking) {
            let found = self.unusable_of(runner, scope, range, file, if_lacking).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// All files with such rows.
    pub(super) async fn all_unusable(
        &self,
        runner: &PlanRunner,
        scope: &Scope,
        range: &Range<i64>,
    ) -> Result<Vec<SkippedFile>> {
        let mut all = Vec::new();
        for file in self.touched(scope, range) {
            all.extend(self.unusable_of(runner, scope, range, file, false).await?);
        }
        Ok(all)
    }

    async fn unusable_of(
        &self,
        runner: &PlanRunner,
        scope: &Scope,
        range: &Range<i64>,
        file: &ParquetFile,
        if_lacking: bool,
    ) -> Result<Option<SkippedFile>> {
        let (url, _) = self.store();
        let segments = scan(url, [file.path()], file.account.known(), Columns::Text);
        let plan = segments.and_then(|segments| reasons(segments, scope, range, if_lacking)).map_err(Error::Plan)?;
        // Words that nobody knows are read as text, which a cluster's table is not.
        let rows = runner.rows(PlacedPlan::Here(plan)).await?;
        let (rows, problem) = problem(&rows).map_err(Error::Plan)?;
        Ok((rows > 0).then(|| SkippedFile { file: self.name(file.path()), problem, rows: Some(rows) }))
    }
}

impl From<SkippedFile> for Error {
    fn from(skipped: SkippedFile) -> Self {
        let SkippedFile { file, problem, rows } = skipped;
        match rows {
            Some(rows) => Self::Unusable { file, rows, problem },
            None => Self::Corrupt { file, problem },
        }
    }
}

/// A plan that counts such rows by the first column that is not as it should be, and by words.
fn reasons(
    segments: LogicalPlanBuilder,
    scope: &Scope,
    range: &Range<i64>,
    if_lacking: bool,
) -> std::result::Result<LogicalPlan, DataFusionError> {
    let is_null = |name: &str| col(name).is_null();
    let time = |ms: i64| lit(datafusion::common::ScalarValue::TimestampMillisecond(Some(ms), Some("UTC".into())));
    let end_time = || col(column::END_TIME);
    let mut condition =
        is_null(column::END_TIME).or(end_time().gt_eq(time(range.start)).and(end_time().lt(time(range.end))));
    if let Scope::Account(account) = scope {
        condition = condition.and(is_null(column::ACCOUNT_ID).or(col(column::ACCOUNT_ID).eq(lit(account.as_str()))));
    }
    let unusable = if if_lacking {
        is_null(column::END_TIME).or(is_null(column::ACCOUNT_ID))
    } else {
        Expr::IsNotTrue(Box::new(CellRequest::is_usable()))
    };
    let outcomes = Outcome::ALL.iter().map(|word| lit(word.as_str())).collect();
    let is_known = Expr::IsTrue(Box::new(col(column::OUTCOME).in_list(outcomes, false)));
    let user_types = UserType::ALL.iter().map(|word| lit(word.as_str())).collect();
    let is_known_type = Expr::IsTrue(Box::new(col(column::USER_TYPE).in_list(user_types, false)));
    let reason = when(is_null(column::ACCOUNT_ID), lit(column::ACCOUNT_ID))
        .when(is_null(column::SKILL_ID), lit(column::SKILL_ID))
        .when(is_null(column::END_TIME), lit(column::END_TIME))
        .when(Expr::Not(Box::new(is_known)), lit(column::OUTCOME))
        .when(Expr::Not(Box::new(is_known_type)), lit(column::USER_TYPE))
        .otherwise(lit(column::ABANDONED_IN_QUEUE))?;
    let groups = [reason.alias(REASON), col(column::OUTCOME), col(column::USER_TYPE)];
    segments
        .alias(CellRequest::SEGMENTS)?
        .filter(condition)?
        .filter(unusable)?
        .aggregate(groups, [count(lit(1)).alias(ROWS)])?
        .build()
}

/// The number of rows, and what the most of them have.
fn problem(batches: &[RecordBatch]) -> std::result::Result<(u64, String), DataFusionError> {
    let (mut all, mut problems) = (0, BTreeMap::<String, u64>::new());
    for batch in batches {
        let text = |name: &str| {
            let column = batch.column_by_name(name);
            let column = column.ok_or_else(|| DataFusionError::Internal(format!("no column {name}")))?;
            Ok::<_, DataFusionError>(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
        };
        let (reasons, outcomes, user_types) = (text(REASON)?, text(column::OUTCOME)?, text(column::USER_TYPE)?);
        let counts = batch.column_by_name(ROWS).and_then(|counts| counts.as_primitive_opt::<Int64Type>());
        for row in 0..batch.num_rows() {
            let rows = counts.map_or(0, |counts| u64::try_from(counts.value(row)).unwrap_or(0));
            let words = match reasons.value(row) {
                column::OUTCOME => Some(&outcomes),
                column::USER_TYPE => Some(&user_types),
                _ => None,
            };
            let word = words.filter(|words| arrow::array::Array::is_valid(words, row)).map(|words| words.value(row));
            *problems.entry(told(reasons.value(row), word)).or_default() += rows;
            all += rows;
        }
    }
    let mut problems: Vec<_> = problems.into_iter().collect();
    problems.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let mut text = String::new();
    for (place, (problem, _)) in problems.iter().take(TOLD).enumerate() {
        // Writing to text does not fail.
        let _ = write!(text, "{}{problem}", if place == 0 { "" } else { ", or " });
    }
    if problems.len() > TOLD {
        text.push_str(", and more");
    }
    Ok((all, text))
}

fn told(column: &str, word: Option<&str>) -> String {
    match word {
        None => format!("no {column}"),
        Some(word) => {
            let known: Vec<&str> = if column == column::OUTCOME {
                Outcome::ALL.iter().map(|word| word.as_str()).collect()
            } else {
                UserType::ALL.iter().map(|word| word.as_str()).collect()
            };
            let word: String = word.chars().take(TOLD_LETTERS).collect();
            format!("the {column} {word:?}, which is none of {}", known.join(", "))
        }
    }
}
