//! Whether something can be named without its schema.

use super::call::{Answer, CatalogFunction, Returns};

pub(super) const ALL: &[CatalogFunction] = &[
    CatalogFunction::new(&["pg_table_is_visible"], 1..=1, Returns::Flag, |asked, row| {
        let Some(number) = row.number(0) else { return Ok(None) };
        Ok(asked.seen.relation(number)?.map(|relation| Answer::Flag(relation.is_visible())))
    }),
    // All of them are PostgreSQL's own, or ours in `public`.
    CatalogFunction::new(
        &[
            "pg_collation_is_visible",
            "pg_conversion_is_visible",
            "pg_function_is_visible",
            "pg_opclass_is_visible",
            "pg_operator_is_visible",
            "pg_opfamily_is_visible",
            "pg_statistics_obj_is_visible",
            "pg_ts_config_is_visible",
            "pg_ts_dict_is_visible",
            "pg_ts_parser_is_visible",
            "pg_ts_template_is_visible",
            "pg_type_is_visible",
        ],
        1..=1,
        Returns::Flag,
        |_, _| Ok(Some(Answer::Flag(true))),
    ),
    // There is nothing of which other sessions could have a temporary one that this session sees.
    CatalogFunction::new(&["pg_is_other_temp_schema"], 1..=1, Returns::Flag, |_, _| Ok(Some(Answer::Flag(false)))),
    CatalogFunction::new(&["pg_my_temp_schema"], 0..=0, Returns::Object, |_, _| Ok(Some(Answer::Number(0)))),
];
