-- Ibis 12: list_tables, list_databases, table and schema, taken down from the wire

SELECT CURRENT_DATABASE();

SELECT CURRENT_SCHEMA;

SELECT DISTINCT table_name FROM information_schema.tables WHERE TRUE AND table_schema = 'public' AND table_catalog = 'acme' UNION ALL SELECT DISTINCT table_name FROM information_schema.tables WHERE table_type = 'LOCAL TEMPORARY';

SELECT schema_name FROM information_schema.schemata;

SELECT datname FROM pg_catalog.pg_database WHERE NOT datistemplate;

SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema();

SELECT
  a.attname AS column_name,
  CASE
    WHEN EXISTS(
      SELECT 1
      FROM pg_catalog.pg_type t
      INNER JOIN pg_catalog.pg_enum e
              ON e.enumtypid = t.oid
             AND t.typname = pg_catalog.format_type(a.atttypid, a.atttypmod)
    ) THEN 'enum'
    ELSE pg_catalog.format_type(a.atttypid, a.atttypmod)
  END AS data_type,
  NOT a.attnotnull AS nullable
FROM pg_catalog.pg_attribute a
INNER JOIN pg_catalog.pg_class c
   ON a.attrelid = c.oid
INNER JOIN pg_catalog.pg_namespace n
   ON c.relnamespace = n.oid
WHERE a.attnum > 0
  AND NOT a.attisdropped
  AND n.nspname = ANY('{public}')
  AND c.relname = 'segments'
ORDER BY a.attnum ASC;

SELECT "t0"."outcome", COUNT(*) AS "n" FROM "segments" AS "t0" GROUP BY 1;

SELECT
  a.attname AS column_name,
  CASE
    WHEN EXISTS(
      SELECT 1
      FROM pg_catalog.pg_type t
      INNER JOIN pg_catalog.pg_enum e
              ON e.enumtypid = t.oid
             AND t.typname = pg_catalog.format_type(a.atttypid, a.atttypmod)
    ) THEN 'enum'
    ELSE pg_catalog.format_type(a.atttypid, a.atttypmod)
  END AS data_type,
  NOT a.attnotnull AS nullable
FROM pg_catalog.pg_attribute a
INNER JOIN pg_catalog.pg_class c
   ON a.attrelid = c.oid
INNER JOIN pg_catalog.pg_namespace n
   ON c.relnamespace = n.oid
WHERE a.attnum > 0
  AND NOT a.attisdropped
  AND n.nspname = ANY('{public,pg_temp_2}')
  AND c.relname = 'ibis_postgres_metadata_6mux4togofc4zmrxto7acina4m'
ORDER BY a.attnum ASC;

DEALLOCATE ALL;
