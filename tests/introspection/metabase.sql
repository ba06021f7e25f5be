-- Metabase: what its driver for PostgreSQL asks beside JDBC's metadata, after its public source

select "n"."nspname" as "schema", "c"."relname" as "name",
  case "c"."relkind" when 'r' then 'TABLE' when 'p' then 'PARTITIONED TABLE' when 'v' then 'VIEW' when 'f' then 'FOREIGN TABLE' when 'm' then 'MATERIALIZED VIEW' else null end as "type",
  "d"."description" as "description",
  null as "estimated_row_count"
from "pg_catalog"."pg_class" as "c"
inner join "pg_catalog"."pg_namespace" as "n" on "c"."relnamespace" = "n"."oid"
left join "pg_catalog"."pg_description" as "d" on ("c"."oid" = "d"."objoid") and ("d"."objsubid" = 0) and ("d"."classoid" = 'pg_class'::regclass)
where ("c"."relnamespace" = "n"."oid") and ("n"."nspname" !~ '^pg_') and ("n"."nspname" <> 'information_schema') and c.relkind in ('r', 'p', 'v', 'f', 'm') and ("n"."nspname" in ('public', 'system'))
order by "type" asc, "schema" asc, "name" asc;

SELECT c.column_name AS name, CASE WHEN c.udt_schema IN ('public', 'pg_catalog') THEN FORMAT_TYPE(t.oid, NULL) ELSE CONCAT('"', c.udt_schema, '"."', c.udt_name, '"') END AS "database-type",
  c.ordinal_position - 1 AS "database-position", c.table_schema AS "table-schema", c.table_name AS "table-name",
  pk.column_name IS NOT NULL AS "pk?", COL_DESCRIPTION(CAST(CAST(FORMAT_TYPE(t.oid, NULL) AS TEXT) IS NULL AS INT) + {segments}, c.ordinal_position) AS "field-comment",
  ((c.column_default IS NULL) OR (LOWER(c.column_default) = 'null')) AND (c.is_nullable = 'NO') AND NOT ((c.column_default IS NOT NULL) AND (c.column_default LIKE '%nextval(%')) AND (c.is_identity = 'NO') AS "database-required",
  ((c.column_default IS NOT NULL) AND (c.column_default LIKE '%nextval(%')) OR (c.is_identity <> 'NO') AS "database-is-auto-increment"
FROM information_schema.columns AS c
LEFT JOIN pg_catalog.pg_type AS t ON t.typname = c.udt_name
LEFT JOIN (
  SELECT tc.table_schema, tc.table_name, kc.column_name
  FROM information_schema.table_constraints AS tc
  INNER JOIN information_schema.key_column_usage AS kc ON (tc.constraint_name = kc.constraint_name) AND (tc.table_schema = kc.table_schema) AND (tc.table_name = kc.table_name)
  WHERE tc.constraint_type = 'PRIMARY KEY'
) AS pk ON (c.table_schema = pk.table_schema) AND (c.table_name = pk.table_name) AND (c.column_name = pk.column_name)
WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND (c.table_schema IN ('public'))
ORDER BY "table-schema" ASC, "table-name" ASC, "database-position" ASC;

SELECT fk_ns.nspname AS "fk-table-schema", fk_table.relname AS "fk-table-name", fk_column.attname AS "fk-column-name", pk_ns.nspname AS "pk-table-schema", pk_table.relname AS "pk-table-name", pk_column.attname AS "pk-column-name"
FROM pg_constraint AS c
INNER JOIN pg_class AS fk_table ON c.conrelid = fk_table.oid
INNER JOIN pg_namespace AS fk_ns ON c.connamespace = fk_ns.oid
INNER JOIN pg_attribute AS fk_column ON c.conrelid = fk_column.attrelid
INNER JOIN pg_class AS pk_table ON c.confrelid = pk_table.oid
INNER JOIN pg_namespace AS pk_ns ON pk_table.relnamespace = pk_ns.oid
INNER JOIN pg_attribute AS pk_column ON c.confrelid = pk_column.attrelid
WHERE fk_ns.nspname !~ '^information_schema|catalog_history|pg_' AND c.contype = 'f'::char AND fk_column.attnum = ANY(c.conkey) AND pk_column.attnum = ANY(c.confkey)
ORDER BY fk_ns.nspname ASC, fk_table.relname ASC;

SELECT nspname, typname FROM pg_type t JOIN pg_enum e ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace;

with table_privileges as (
  select NULL as role, t.schemaname as schema, t.objectname as table,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'update') as update,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'select') as select,
    pg_catalog.has_any_column_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'insert') as insert,
    pg_catalog.has_table_privilege(current_user, '"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"', 'delete') as delete
  from (
    select schemaname, tablename as objectname from pg_catalog.pg_tables
    union
    select schemaname, viewname as objectname from pg_views
    union
    select schemaname, matviewname as objectname from pg_matviews
  ) t
  where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema' and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'USAGE')
)
select t.* from table_privileges t;

SELECT tmp.table_name, tmp.column_name FROM (
  SELECT ct.relname as table_name, a.attname as column_name, i.indkey[0] as first, a.attnum
  FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_index i ON ct.oid = i.indrelid JOIN pg_catalog.pg_attribute a ON a.attrelid = ct.oid
  WHERE i.indisvalid AND i.indpred is null
) tmp WHERE tmp.attnum = tmp.first;

SELECT current_setting('TIMEZONE')
