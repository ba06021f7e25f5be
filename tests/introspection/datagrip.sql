-- DataGrip: its introspection, after what its log shows

select version(), current_database(), current_schema(), current_user;

show DateStyle;

select name, is_dst from pg_catalog.pg_timezone_names union distinct select abbrev as name, is_dst from pg_catalog.pg_timezone_abbrevs;

select round(extract(epoch from pg_postmaster_start_time() at time zone 'UTC')) as startup_time;

select L.transactionid::varchar::bigint as transaction_id from pg_catalog.pg_locks L where L.transactionid is not null order by pg_catalog.age(L.transactionid) desc limit 1;

select case when pg_catalog.pg_is_in_recovery() then null else (pg_catalog.txid_current() % 4294967296)::varchar::bigint end as current_txid;

select N.oid::bigint as id, datname as name, D.description, datistemplate as is_template, datallowconn as allow_connections, pg_catalog.pg_get_userbyid(N.datdba) as "owner"
from pg_catalog.pg_database N
left join pg_catalog.pg_shdescription D on N.oid = D.objoid
order by case when datname = pg_catalog.current_database() then -1::bigint else N.oid::bigint end;

select N.oid::bigint as id, N.xmin as state_number, nspname as name, D.description, pg_catalog.pg_get_userbyid(N.nspowner) as "owner"
from pg_catalog.pg_namespace N
left join pg_catalog.pg_description D on N.oid = D.objoid
order by case when nspname = pg_catalog.current_schema() then -1::bigint else N.oid::bigint end;

select R.oid::bigint as role_id, rolname as role_name, rolsuper as is_super, rolinherit as is_inherit, rolcreaterole as can_createrole, rolcreatedb as can_createdb, rolcanlogin as can_login, rolreplication as is_replication, rolconnlimit as conn_limit, rolvaliduntil as valid_until, rolbypassrls as bypass_rls, rolconfig as config, D.description
from pg_catalog.pg_roles R
left join pg_catalog.pg_shdescription D on D.objoid = R.oid;

select member id, roleid role_id, admin_option from pg_catalog.pg_auth_members order by id, roleid::text;

select T.oid::bigint as id, T.spcname as name, T.xmin as state_number, pg_catalog.pg_get_userbyid(T.spcowner) as owner, pg_catalog.pg_tablespace_location(T.oid) as location, T.spcoptions as options, D.description as comment
from pg_catalog.pg_tablespace T
left join pg_catalog.pg_shdescription D on D.objoid = T.oid;

select T.oid as object_id, T.spcacl as acl from pg_catalog.pg_tablespace T union all select T.oid as object_id, T.datacl as acl from pg_catalog.pg_database T;

select A.oid as access_method_id, A.xmin as state_number, A.amname as access_method_name, A.amhandler::oid as handler_id, pg_catalog.quote_ident(N.nspname) || '.' || pg_catalog.quote_ident(P.proname) as handler_name, A.amtype as access_method_type
from pg_am A
join pg_proc P on A.amhandler::oid = P.oid
join pg_namespace N on P.pronamespace = N.oid;

select L.oid as id, L.xmin as state_number, L.lanname as name, L.lanpltrusted as trusted, h.proname as handler, hs.nspname as handlerSchema, i.proname as inline, isc.nspname as inlineSchema, v.proname as validator, vs.nspname as validatorSchema
from pg_catalog.pg_language L
left join pg_catalog.pg_proc h on h.oid = lanplcallfoid
left join pg_catalog.pg_namespace hs on hs.oid = h.pronamespace
left join pg_catalog.pg_proc i on i.oid = laninline
left join pg_catalog.pg_namespace isc on isc.oid = i.pronamespace
left join pg_catalog.pg_proc v on v.oid = lanvalidator
left join pg_catalog.pg_namespace vs on vs.oid = v.pronamespace
order by lanname;

select E.oid as id, E.xmin as state_number, extname as name, extversion as version, extnamespace as schema_id, nspname as schema_name, array(select unnest from unnest(available_versions) where unnest > extversion) as available_updates
from pg_catalog.pg_extension E
join pg_namespace N on E.extnamespace = N.oid
left join (select name, array_agg(version) as available_versions from pg_available_extension_versions() group by name) V on E.extname = V.name;

select C.oid::bigint as id, C.castsource as castsource_id, pg_catalog.quote_ident(SN.nspname) || '.' || pg_catalog.quote_ident(S.typname) as castsource_name, C.casttarget as casttarget_id, C.castfunc as castfunc_id, C.castcontext, C.castmethod
from pg_cast C
left outer join pg_proc F on C.castfunc::oid = F.oid
left outer join pg_namespace FN on F.pronamespace = FN.oid
join pg_type S on C.castsource::oid = S.oid
join pg_namespace SN on S.typnamespace = SN.oid
join pg_type T on C.casttarget::oid = T.oid
join pg_namespace TN on T.typnamespace = TN.oid;

select distinct L.oid::bigint as id, L.collname as name from pg_catalog.pg_collation L where L.collnamespace = 11 limit 5;

with T as (select distinct quote_ident(N.nspname) || '.' || quote_ident(T.typname) as name, T.oid as type_id, T.typtype as type_sub_kind, T.typrelid as class_id, T.typelem, N.oid as ns
  from pg_catalog.pg_type T join pg_catalog.pg_namespace N on T.typnamespace = N.oid where T.typnamespace = 2200::oid)
select T.type_id, T.name, T.type_sub_kind from T order by 1;

select T.relkind as table_kind, T.relname as table_name, T.oid as table_id, T.xmin as table_state_number, false as table_with_oids, T.reltablespace as tablespace_id, T.reloptions as options, T.relpersistence as persistence,
  (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where T.oid = inhrelid) as ancestors,
  (select pg_catalog.array_agg(inhrelid::bigint order by inhrelid)::varchar from pg_catalog.pg_inherits where T.oid = inhparent) as successors,
  T.relispartition as is_partition, pg_catalog.pg_get_partkeydef(T.oid) as partition_key, pg_catalog.pg_get_expr(T.relpartbound, T.oid) as partition_expression, T.relam am_id, pg_catalog.pg_get_userbyid(T.relowner) as "owner"
from pg_catalog.pg_class T
where relnamespace = 2200::oid and relkind in ('r', 'm', 'v', 'f', 'p')
order by table_kind, table_id;

with types as (select distinct T.oid as type_id, T.typname, T.typtypmod, T.typbasetype, T.typtype, N.nspname from pg_catalog.pg_type T join pg_catalog.pg_namespace N on N.oid = T.typnamespace)
select C.attrelid as object_id, C.attnum as column_position, C.attname as column_name, C.xmin as column_state_number, C.atttypmod as type_mod, C.attndims as dimensions_number, pg_catalog.format_type(C.atttypid, C.atttypmod) as type_spec, C.atttypid as type_id, C.attnotnull as mandatory, D.adbin as column_default_expression, C.attisdropped as column_is_dropped, C.attidentity as identity_kind, C.attgenerated as generated
from pg_catalog.pg_attribute C
inner join pg_catalog.pg_class T on C.attrelid = T.oid
left outer join pg_catalog.pg_attrdef D on (C.attrelid, C.attnum) = (D.adrelid, D.adnum)
where T.relnamespace = 2200::oid and T.relkind in ('r', 'm', 'v', 'f', 'p') and attnum > 0
order by object_id, column_position;

select IND_HEAD.indrelid as table_id, IND_HEAD.indexrelid as index_id, IND_HEAD.indisunique as is_unique, k as column_position, pg_catalog.pg_get_indexdef(IND_HEAD.indexrelid, k, true) as expression
from pg_catalog.pg_index IND_HEAD
cross join unnest(IND_HEAD.indkey) with ordinality u(col, k)
left join pg_catalog.pg_collation on pg_collation.oid = col
order by index_id, k;

select T.oid table_id, relkind table_kind, C.oid::bigint con_id, C.xmin::varchar::bigint con_state_id, conname con_name, contype con_kind, conkey con_columns, conindid index_id, confrelid ref_table_id, condeferrable is_deferrable, condeferred is_init_deferred, confupdtype on_update, confdeltype on_delete, connoinherit no_inherit, pg_get_expr(conbin, T.oid) con_expression, confkey ref_columns, conexclop::int[] excl_operators, array(select unnest::regoper::varchar from unnest(conexclop)) excl_operators_str
from pg_catalog.pg_constraint C join pg_catalog.pg_class T on C.conrelid = T.oid
where relkind in ('r', 'v', 'f', 'p') and relnamespace = 2200::oid and contype in ('p', 'u', 'f', 'c', 'x') and connamespace = 2200::oid
order by strpos('pufcx', contype);

with languages as (select oid as lang_oid, lanname as lang from pg_catalog.pg_language),
routines as (select proname as r_name, prolang as lang_oid, oid as r_id, xmin as r_state_number, proargnames as arg_names, proargmodes as arg_modes, proargtypes::int[] as in_arg_types, proallargtypes::int[] as all_arg_types, pg_catalog.pg_get_expr(proargdefaults, 0) as arg_defaults, provariadic as arg_variadic_id, prorettype as ret_type_id, proretset as ret_set, prokind as kind, provolatile as volatile_kind, proisstrict as is_strict, prosecdef as is_security_definer, proconfig as configuration_parameters, procost as cost, pg_catalog.pg_get_userbyid(proowner) as "owner", prorows as rows, proleakproof as is_leakproof, proparallel as concurrency_kind
  from pg_catalog.pg_proc where pronamespace = 2200::oid and not (prokind = 'a'))
select * from routines natural join languages;

select O.oid::bigint as op_id, oprname as op_name, oprkind op_kind, oprleft arg_left_type_id, oprright arg_right_type_id, oprresult arg_result_type_id, oprcode::oid as main_id, oprcode::varchar main_name from pg_catalog.pg_operator O where oprnamespace = 2200::oid;

select R.ev_class as table_id, R.oid as rule_id, R.xmin as rule_state_number, R.rulename as rule_name, R.ev_enabled as rule_fire_mode, R.is_instead as rule_is_instead from pg_catalog.pg_rewrite R where R.ev_class = {segments} order by R.ev_class::bigint, ev_type;

select T.relkind as view_kind, T.oid as view_id, pg_catalog.pg_get_viewdef(T.oid, true) as source_text
from pg_catalog.pg_class T join pg_catalog.pg_namespace N on T.relnamespace = N.oid
where N.oid = 2200::oid and T.relkind in ('m','v');

select D.objoid id, case when 'pg_class'::regclass = classoid then 'class' end as kind, D.objsubid sub_id, D.description
from pg_catalog.pg_description D join pg_catalog.pg_class C on D.objoid = C.oid
where C.relnamespace = 2200::oid and C.relkind != 'c' and D.classoid = 'pg_class'::regclass
order by 1, 3
