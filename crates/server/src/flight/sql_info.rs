//! What the server can do, in the numbers of Flight SQL.

use std::collections::HashMap;
use std::sync::LazyLock;

use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    SqlInfo, SqlNullOrdering, SqlOuterJoinsSupportLevel, SqlSupportedCaseSensitivity, SqlSupportedTransaction,
    SqlSupportsConvert, SqlTransactionIsolationLevel, SupportedSqlGrammar,
};
use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;

/// The abilities of the server; `None` where they cannot be written.
pub(super) static SQL_INFO: LazyLock<Option<SqlInfoData>> = LazyLock::new(|| {
    let mut builder = SqlInfoDataBuilder::new();
    of_server(&mut builder);
    of_names(&mut builder);
    of_statements(&mut builder);
    of_results(&mut builder);
    YES.into_iter().for_each(|ability| builder.append(ability, true));
    NO.into_iter().for_each(|ability| builder.append(ability, false));
    // 0: there is no limit, or it is none of a number.
    UNLIMITED.into_iter().for_each(|limit| builder.append(limit, 0_i64));
    builder.append(SqlInfo::SqlMaxStatementLength, 1_i64 << 20);
    builder.build().ok()
});

const YES: [SqlInfo; 14] = [
    SqlInfo::FlightSqlServerReadOnly,
    SqlInfo::FlightSqlServerSql,
    SqlInfo::FlightSqlServerCancel,
    SqlInfo::SqlAllTablesAreSelectable,
    SqlInfo::SqlSupportsColumnAliasing,
    SqlInfo::SqlNullPlusNullIsNull,
    SqlInfo::SqlSupportsTableCorrelationNames,
    SqlInfo::SqlSupportsExpressionsInOrderBy,
    SqlInfo::SqlSupportsOrderByUnrelated,
    SqlInfo::SqlSupportsLikeEscapeClause,
    SqlInfo::SqlSupportsNonNullableColumns,
    SqlInfo::SqlCatalogAtStart,
    SqlInfo::SqlCorrelatedSubqueriesSupported,
    SqlInfo::SqlMaxRowSizeIncludesBlobs,
];

const NO: [SqlInfo; 18] = [
    SqlInfo::FlightSqlServerSubstrait,
    SqlInfo::FlightSqlServerBulkIngestion,
    SqlInfo::FlightSqlServerIngestTransactionsSupported,
    SqlInfo::SqlDdlCatalog,
    SqlInfo::SqlDdlSchema,
    SqlInfo::SqlDdlTable,
    SqlInfo::SqlSupportsDifferentTableCorrelationNames,
    SqlInfo::SqlSupportsIntegrityEnhancementFacility,
    SqlInfo::SqlSelectForUpdateSupported,
    SqlInfo::SqlStoredProceduresSupported,
    SqlInfo::SqlTransactionsSupported,
    SqlInfo::SqlDataDefinitionCausesTransactionCommit,
    SqlInfo::SqlDataDefinitionsInTransactionsIgnored,
    SqlInfo::SqlBatchUpdatesSupported,
    SqlInfo::SqlSavepointsSupported,
    SqlInfo::SqlNamedParametersSupported,
    SqlInfo::SqlLocatorsUpdateCopy,
    SqlInfo::SqlStoredFunctionsUsingCallSyntaxSupported,
];

const UNLIMITED: [SqlInfo; 19] = [
    SqlInfo::SqlMaxBinaryLiteralLength,
    SqlInfo::SqlMaxCharLiteralLength,
    SqlInfo::SqlMaxColumnNameLength,
    SqlInfo::SqlMaxColumnsInGroupBy,
    SqlInfo::SqlMaxColumnsInIndex,
    SqlInfo::SqlMaxColumnsInOrderBy,
    SqlInfo::SqlMaxColumnsInSelect,
    SqlInfo::SqlMaxColumnsInTable,
    SqlInfo::SqlMaxConnections,
    SqlInfo::SqlMaxCursorNameLength,
    SqlInfo::SqlMaxIndexLength,
    SqlInfo::SqlDbSchemaNameLength,
    SqlInfo::SqlMaxProcedureNameLength,
    SqlInfo::SqlMaxCatalogNameLength,
    SqlInfo::SqlMaxRowSize,
    SqlInfo::SqlMaxStatements,
    SqlInfo::SqlMaxTableNameLength,
    SqlInfo::SqlMaxTablesInSelect,
    SqlInfo::SqlMaxUsernameLength,
];

/// Functions by what they compute with. Those of a kind that is open are found in `information_schema.routines`.
const NUMERIC: &[&str] = &[
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "degrees",
    "exp",
    "factorial",
    "floor",
    "gcd",
    "lcm",
    "ln",
    "log",
    "log10",
    "log2",
    "pi",
    "power",
    "radians",
    "random",
    "round",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
];
const STRING: &[&str] = &[
    "ascii",
    "bit_length",
    "btrim",
    "chr",
    "concat",
    "concat_ws",
    "initcap",
    "left",
    "lower",
    "lpad",
    "ltrim",
    "octet_length",
    "regexp_count",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "to_char",
    "to_hex",
    "translate",
    "upper",
];
const SYSTEM: &[&str] = &["arrow_typeof", "coalesce", "greatest", "kill_query", "least", "nullif", "version"];
const DATETIME: &[&str] = &[
    "age",
    "current_date",
    "current_time",
    "date_bin",
    "date_part",
    "date_trunc",
    "from_unixtime",
    "make_date",
    "now",
    "to_char",
    "to_date",
    "to_timestamp",
];

fn of_server(builder: &mut SqlInfoDataBuilder) {
    builder.append(SqlInfo::FlightSqlServerName, "skillscope");
    builder.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    builder.append(SqlInfo::FlightSqlServerArrowVersion, "1.5");
    builder.append(SqlInfo::FlightSqlServerSubstraitMinVersion, "");
    builder.append(SqlInfo::FlightSqlServerSubstraitMaxVersion, "");
    builder.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    builder.append(SqlInfo::FlightSqlServerStatementTimeout, 0_i32);
    builder.append(SqlInfo::FlightSqlServerTransactionTimeout, 0_i32);
    builder.append(SqlInfo::SqlDefaultTransactionIsolation, SqlTransactionIsolationLevel::SqlTransactionNone as i32);
    builder.append(SqlInfo::SqlSupportedTransactionsIsolationLevels, 1_i32);
}

fn of_names(builder: &mut SqlInfoDataBuilder) {
    let (lower, as_written) = (
        SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase,
        SqlSupportedCaseSensitivity::SqlCaseSensitivityCaseInsensitive,
    );
    builder.append(SqlInfo::SqlIdentifierCase, lower as i32);
    builder.append(SqlInfo::SqlQuotedIdentifierCase, as_written as i32);
    builder.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    builder.append(SqlInfo::SqlSearchStringEscape, "\\");
    builder.append(SqlInfo::SqlExtraNameCharacters, "");
    builder.append(SqlInfo::SqlSchemaTerm, "schema");
    builder.append(SqlInfo::SqlProcedureTerm, "function");
    builder.append(SqlInfo::SqlCatalogTerm, "database");
    builder.append(SqlInfo::SqlKeywords, ALL_KEYWORDS);
    builder.append(SqlInfo::SqlNumericFunctions, NUMERIC);
    builder.append(SqlInfo::SqlStringFunctions, STRING);
    builder.append(SqlInfo::SqlSystemFunctions, SYSTEM);
    builder.append(SqlInfo::SqlDatetimeFunctions, DATETIME);
}

fn of_statements(builder: &mut SqlInfoDataBuilder) {
    builder.append(SqlInfo::SqlNullOrdering, SqlNullOrdering::SqlNullsSortedHigh as i32);
    let grammars = [
        SupportedSqlGrammar::SqlMinimumGrammar as i32,
        SupportedSqlGrammar::SqlCoreGrammar as i32,
        SupportedSqlGrammar::SqlExtendedGrammar as i32,
    ];
    builder.append(SqlInfo::SqlSupportedGrammar, mask(&grammars));
    // The entry level.
    builder.append(SqlInfo::SqlAnsi92SupportedLevel, mask(&[0]));
    builder.append(SqlInfo::SqlOuterJoinsSupportLevel, mask(&[SqlOuterJoinsSupportLevel::SqlFullOuterJoins as i32]));
    // By columns that are not selected; compared, in EXISTS, in IN and with ANY; UNION and UNION ALL.
    builder.append(SqlInfo::SqlSupportedGroupBy, mask(&[0, 1]));
    builder.append(SqlInfo::SqlSupportedSubqueries, mask(&[0, 1, 2, 3]));
    builder.append(SqlInfo::SqlSupportedUnions, mask(&[0, 1]));
    builder.append(SqlInfo::SqlSupportsConvert, conversions());
}

fn of_results(builder: &mut SqlInfoDataBuilder) {
    // Nothing is updated, and rows are read forward.
    for none in [
        SqlInfo::SqlSchemasSupportedActions,
        SqlInfo::SqlCatalogsSupportedActions,
        SqlInfo::SqlSupportedPositionedCommands,
        SqlInfo::SqlSupportedConcurrenciesForResultSetUnspecified,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollSensitive,
        SqlInfo::SqlSupportedConcurrenciesForResultSetScrollInsensitive,
    ] {
        builder.append(none, 0_i32);
    }
    builder.append(SqlInfo::SqlSupportedResultSetTypes, mask(&[1]));
    builder.append(SqlInfo::SqlSupportedConcurrenciesForResultSetForwardOnly, mask(&[1]));
}

/// Whole numbers of bits.
fn mask(bits: &[i32]) -> i32 {
    bits.iter().fold(0, |mask, bit| mask | 1_i32.checked_shl(bit.unsigned_abs()).unwrap_or(0))
}

/// Which types can be cast to which: all of them to text and from text, and numbers to one another.
fn conversions() -> HashMap<i32, Vec<i32>> {
    use SqlSupportsConvert as Of;
    let text = [Of::SqlConvertVarchar as i32, Of::SqlConvertChar as i32];
    let numbers = [
        Of::SqlConvertBigint,
        Of::SqlConvertInteger,
        Of::SqlConvertSmallint,
        Of::SqlConvertDecimal,
        Of::SqlConvertNumeric,
        Of::SqlConvertFloat,
        Of::SqlConvertReal,
    ];
    let times = [Of::SqlConvertDate, Of::SqlConvertTimestamp];
    let numbers = numbers.map(|number| number as i32);
    let times = times.map(|time| time as i32);
    let mut conversions = HashMap::new();
    for of in numbers {
        conversions.insert(of, [&numbers[..], &text].concat());
    }
    for of in times {
        conversions.insert(of, [&times[..], &text].concat());
    }
    for of in text {
        conversions.insert(of, [&numbers[..], &times, &text].concat());
    }
    conversions
}
