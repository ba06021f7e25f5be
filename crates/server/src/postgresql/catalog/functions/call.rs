//! A function of the catalog, and how a statement calls it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, TimeUnit};
use datafusion::common::{ScalarValue, internal_datafusion_err, resources_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use datafusion_postgres::arrow_pg::datatypes::PG_OID_ALIAS_KEY;

use super::Asked;

/// The most that the values of one call for the rows of a batch may take: nobody counts them before they are there.
const MOST_BYTES: usize = 16 << 20;

/// A function of the catalog. Its value for a row is computed of the row's arguments.
pub(super) struct CatalogFunction {
    /// The names that it has.
    pub(super) names: &'static [&'static str],
    /// How many arguments it takes.
    pub(super) arguments: RangeInclusive<usize>,
    pub(super) returns: Returns,
    /// Whether it is asked with nulls, too. Otherwise, its value is null then.
    pub(super) takes_nulls: bool,
    /// Whether each call counts, so that it is not computed ahead.
    pub(super) is_volatile: bool,
    pub(super) compute: fn(&Asked, &Row<'_>) -> Result<Option<Answer>>,
}

impl CatalogFunction {
    /// A function that gives null where an argument is null.
    pub(super) const fn new(
        names: &'static [&'static str],
        arguments: RangeInclusive<usize>,
        returns: Returns,
        compute: fn(&Asked, &Row<'_>) -> Result<Option<Answer>>,
    ) -> Self {
        Self { names, arguments, returns, takes_nulls: false, is_volatile: false, compute }
    }

    /// The same, which is asked with nulls, too.
    pub(super) const fn with_nulls(self) -> Self {
        Self { takes_nulls: true, ..self }
    }

    /// The same, of which each call counts.
    pub(super) const fn volatile(self) -> Self {
        Self { is_volatile: true, ..self }
    }
}

impl fmt::Debug for CatalogFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatalogFunction").field("names", &self.names).finish_non_exhaustive()
    }
}

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returns {
    Text,
    Texts,
    Flag,
    Number,
    /// A number of 64 bits.
    Large,
    /// The number of an object.
    Object,
    Time,
    Numbers,
}

impl Returns {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Texts => DataType::new_list(DataType::Utf8, true),
            Self::Flag => DataType::Boolean,
            Self::Number | Self::Object => DataType::Int32,
            Self::Large => DataType::Int64,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Numbers => DataType::new_list(DataType::Int32, true),
        }
    }
}

/// The value of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
    Number(i64),
    Numbers(Vec<i32>),
}

impl Answer {
    pub(super) fn text(text: impl Into<String>) -> Option<Self> {
        Some(Self::Text(text.into()))
    }

    fn value(self, returns: Returns) -> Result<ScalarValue> {
        let value = match self {
            Self::Text(text) => ScalarValue::Utf8(Some(text)),
            Self::Flag(flag) => ScalarValue::Boolean(Some(flag)),
            Self::Number(number) => ScalarValue::Int64(Some(number)),
            Self::Texts(texts) => {
                let texts: Vec<ScalarValue> = texts.into_iter().map(|text| ScalarValue::Utf8(Some(text))).collect();
                ScalarValue::List(ScalarValue::new_list_nullable(&texts, &DataType::Utf8))
            }
            Self::Numbers(numbers) => {
                let numbers: Vec<ScalarValue> = numbers.into_iter().map(ScalarValue::from).collect();
                ScalarValue::List(ScalarValue::new_list_nullable(&numbers, &DataType::Int32))
            }
        };
        value.cast_to(&returns.data_type())
    }
}

/// The arguments of a call for one row.
pub(super) struct Row<'a> {
    columns: &'a [Column],
    row: usize,
}

impl Row<'_> {
    /// The number of arguments.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// An argument as a text.
    pub(super) fn text(&self, argument: usize) -> Option<&str> {
        let texts = &self.columns.get(argument)?.texts;
        texts.is_valid(self.row).then(|| texts.value(self.row))
    }

    /// The last argument as a text.
    pub(super) fn last_text(&self) -> Option<&str> {
        self.text(self.len().checked_sub(1)?)
    }

    /// An argument as a number; `None` also where it is no number.
    pub(super) fn number(&self, argument: usize) -> Option<i64> {
        let numbers = &self.columns.get(argument)?.numbers;
        numbers.is_valid(self.row).then(|| numbers.value(self.row))
    }

    /// An argument as a truth value.
    pub(super) fn flag(&self, argument: usize) -> Option<bool> {
        self.text(argument).map(|text| text == "true" || text == "t")
    }

    /// An argument that is a list of numbers.
    pub(super) fn numbers(&self, argument: usize) -> Option<Vec<i64>> {
        let lists = self.columns.get(argument)?.values.as_list_opt::<i32>()?;
        let list = lists.is_valid(self.row).then(|| lists.value(self.row))?;
        let numbers = cast(&list, &DataType::Int64).ok()?;
        Some(numbers.as_primitive::<Int64Type>().iter().flatten().collect())
    }

    /// An argument as JSON.
    pub(super) fn json(&self, argument: usize) -> serde_json::Value {
        let Some(text) = self.text(argument) else { return serde_json::Value::Null };
        match self.columns.get(argument).map(|column| column.values.data_type()) {
            Some(DataType::Boolean) => self.flag(argument).into(),
            Some(of) if of.is_numeric() => serde_json::from_str(text).unwrap_or_default(),
            _ => text.into(),
        }
    }

    fn has_nulls(&self) -> bool {
        self.columns.iter().any(|column| column.values.is_null(self.row))
    }
}

/// An argument of a call for all rows.
struct Column {
    values: ArrayRef,
    texts: StringArray,
    numbers: Int64Array,
}

impl Column {
    fn of(values: &ArrayRef) -> Result<Self> {
        let texts = match values.data_type() {
            DataType::List(_) | DataType::Struct(_) => StringArray::new_null(values.len()),
            _ => cast(values, &DataType::Utf8)?.as_string::<i32>().clone(),
        };
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let numbers = match values.data_type() {
            DataType::Boolean | DataType::List(_) | DataType::Struct(_) => Int64Array::new_null(values.len()),
            _ => cast_with_options(&texts, &DataType::Int64, &options)?.as_primitive::<Int64Type>().clone(),
        };
        Ok(Self { values: Arc::clone(values), texts, numbers })
    }
}

/// A function as statements call it.
#[derive(Debug)]
pub(super) struct Call {
    function: &'static CatalogFunction,
    name: &'static str,
    asked: Arc<Asked>,
    signature: Signature,
}

impl Call {
    pub(super) fn new(function: &'static CatalogFunction, name: &'static str, asked: Arc<Asked>) -> Self {
        let forms = function.arguments.clone().map(|count| match count {
            0 => TypeSignature::Nullary,
            count => TypeSignature::Any(count),
        });
        let volatility = if function.is_volatile { Volatility::Volatile } else { Volatility::Stable };
        Self { function, name, asked, signature: Signature::one_of(forms.collect(), volatility) }
    }

    fn row(&self, row: &Row<'_>) -> Result<ScalarValue> {
        let returns = self.function.returns;
        let answer = match self.function.takes_nulls || !row.has_nulls() {
            true => (self.function.compute)(&self.asked, row)?,
            false => None,
        };
        answer.map_or_else(|| ScalarValue::try_new_null(&returns.data_type()), |answer| answer.value(returns))
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.asked, &other.asked)
    }
}

impl Eq for Call {}

impl Hash for Call {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Call {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.function.returns.data_type())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = Field::new(self.name, self.function.returns.data_type(), true);
        Ok(Arc::new(match self.function.returns {
            Returns::Object => field.with_metadata([(PG_OID_ALIAS_KEY.to_owned(), "oid".to_owned())].into()),
            _ => field,
        }))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant && !self.function.is_volatile { 1 } else { arguments.number_rows };
        let columns = arguments.args.iter().map(|argument| Column::of(&argument.to_array(rows)?));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let (mut values, mut bytes) = (Vec::new(), 0_usize);
        for row in 0..rows {
            let value = self.row(&Row { columns: &columns, row })?;
            bytes = bytes.saturating_add(value.size());
            if bytes > MOST_BYTES {
                return resources_err!("{} has values of more than {MOST_BYTES} bytes for {rows} rows", self.name);
            }
            values.push(value);
        }
        if is_constant && rows == 1 {
            return values
                .pop()
                .map(ColumnarValue::Scalar)
                .ok_or_else(|| internal_datafusion_err!("{} has no value", self.name));
        }
        if values.is_empty() {
            return Ok(ColumnarValue::Array(arrow::array::new_empty_array(&self.function.returns.data_type())));
        }
        Ok(ColumnarValue::Array(ScalarValue::iter_to_array(values)?))
    }
}
