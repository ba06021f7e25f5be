//! The functions that go with PostgreSQL's catalog.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::array_bounds_udf::{
    create_array_lower_udf, create_array_upper_udf,
};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::format_type::create_format_type_udf;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::has_privilege_udf::create_has_privilege_udf;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::pg_get_expr_udf::create_pg_get_expr_udf;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::quote_ident_udf::{
    create_parse_ident_udf, create_quote_ident_udf,
};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::{
    create_current_schema_udf, create_current_schemas_udf, create_pg_backend_pid_udf, create_pg_encoding_to_char_udf,
    create_pg_get_constraintdef, create_pg_get_partition_ancestors_udf, create_pg_get_partkeydef_udf,
    create_pg_get_statisticsobjdef_columns_udf, create_pg_get_userbyid_udf, create_pg_relation_is_publishable_udf,
    create_pg_relation_size_udf, create_pg_stat_get_numscans, create_pg_table_is_visible,
    create_pg_total_relation_size_udf, create_session_user_udf,
};

/// The functions that are the same in every database.
pub(super) fn catalog_functions() -> Vec<Arc<ScalarUDF>> {
    let functions = [
        create_current_schema_udf(),
        create_current_schemas_udf(),
        create_pg_get_userbyid_udf(),
        create_has_privilege_udf("has_table_privilege"),
        create_has_privilege_udf("has_schema_privilege"),
        create_has_privilege_udf("has_database_privilege"),
        create_has_privilege_udf("has_any_column_privilege"),
        create_pg_table_is_visible(),
        create_format_type_udf(),
        create_session_user_udf(),
        create_pg_get_expr_udf(),
        create_pg_get_partkeydef_udf(),
        create_pg_relation_is_publishable_udf(),
        create_pg_get_statisticsobjdef_columns_udf(),
        create_pg_encoding_to_char_udf(),
        create_pg_backend_pid_udf(),
        create_pg_relation_size_udf(),
        create_pg_total_relation_size_udf(),
        create_pg_stat_get_numscans(),
        create_pg_get_constraintdef(),
        create_pg_get_partition_ancestors_udf(),
        create_quote_ident_udf(),
        create_parse_ident_udf(),
        create_array_upper_udf(),
        create_array_lower_udf(),
        pg_my_temp_schema(),
    ];
    functions.into_iter().map(Arc::new).collect()
}

/// PostgreSQL's function for the number of the schema of temporary tables, which is 0 where there is none. The catalog
/// of `datafusion-postgres` lacks it.
fn pg_my_temp_schema() -> ScalarUDF {
    let none = |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(ScalarValue::Int32(Some(0))));
    create_udf("pg_my_temp_schema", Vec::new(), DataType::Int32, Volatility::Stable, Arc::new(none))
}
