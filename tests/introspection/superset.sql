-- Apache Superset: what it asks beside SQLAlchemy's own questions, after its public source

SELECT datname FROM pg_database WHERE datistemplate = false;

SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\_%' ORDER BY nspname;

SELECT table_name FROM information_schema.views WHERE table_schema = 'public' ORDER BY table_name;

SELECT DATE_TRUNC('hour', end_time) AS end_time, count(*) AS count
FROM public.segments
WHERE end_time >= TO_TIMESTAMP('2018-01-17 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND end_time < TO_TIMESTAMP('2018-01-18 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US')
GROUP BY DATE_TRUNC('hour', end_time)
ORDER BY count DESC
LIMIT 1000;

SELECT sum(1) AS "SUM(x)" FROM (SELECT * FROM segments) AS virtual_table LIMIT 10
