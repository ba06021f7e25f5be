//! Tables and views that somebody added, as statements find them, and the statements that add and drop them.

use arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use skillscope_segment::{AccountId, Input, Outcome, SmallTable, TableFormat, UserType};
use skillscope_store::{IfThere, Relation, RelationName};

use super::world::{Facts, World, segments};
use crate::{Error, ErrorKind, SqlSession};

const NOW: i64 = 1_516_265_515_679;

/// Two accounts with segments, and names of skills: for all, and other ones for acme.
fn world() -> World {
    let fact = |account, skill| Facts {
        account,
        skill,
        end_time: NOW - 1,
        user_type: UserType::Bot,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: Some(3),
    };
    let world = World::new(NOW, &segments(&[fact("acme", 1), fact("acme", 2), fact("bolt", 2)]));
    for (owner, csv) in [(None, "skill_id,name\n1,Billing\n2,Cards\n"), (Some("acme"), "skill_id,name\n1,Loans\n")] {
        put(&world, owner, "skills", csv);
    }
    world
}

fn put(world: &World, owner: Option<&str>, name: &str, csv: &str) {
    let owner = owner.map(|account| AccountId::parse(account).unwrap());
    let rows = SmallTable::read(TableFormat::Csv, Input::Bytes(csv.as_bytes().to_vec().into())).unwrap();
    let table = Relation::table(owner, RelationName::parse(name).unwrap(), rows);
    world.store.put_relation(table, IfThere::Replace).unwrap();
}

fn administrator(world: &World, account: Option<&str>) -> SqlSession {
    world.session(account).with_administration()
}

async fn rows(session: &SqlSession, text: &str) -> Result<Vec<String>, Error> {
    let batches: Vec<_> = session.run(text, Vec::new()).await?.try_collect().await?;
    let shown = pretty_format_batches(&batches).unwrap().to_string();
    let lines = shown.lines().filter(|line| !line.starts_with('+') && *line != "++").skip(1);
    Ok(lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join("|")).collect())
}

async fn done(session: &SqlSession, text: &str) -> (&'static str, Option<String>) {
    let rows = session.run(text, Vec::new()).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    let defined = rows.defined().unwrap().clone();
    assert_eq!(rows.schema().fields().len(), 0);
    (defined.tag, defined.notice)
}

async fn refused(session: &SqlSession, text: &str) -> (ErrorKind, String) {
    match session.run(text, Vec::new()).await {
        Err(error) => (error.kind(), error.public_text()),
        Ok(rows) => panic!("{text}: {:?}", rows.defined()),
    }
}

#[tokio::test]
async fn an_account_joins_its_own_names_and_others_those_for_all() {
    let world = world();
    let names = "select name from skills order by skill_id";
    assert_eq!(rows(&world.session(Some("acme")), names).await.unwrap(), ["Loans"]);
    assert_eq!(rows(&world.session(Some("bolt")), names).await.unwrap(), ["Billing", "Cards"]);
    assert_eq!(rows(&world.session(None), names).await.unwrap(), ["Billing", "Cards"]);
    let joined = "select count(*) > 0 from segments join skills using (skill_id)";
    assert_eq!(rows(&world.session(Some("bolt")), joined).await.unwrap(), ["true"]);
    put(&world, Some("bolt"), "secret", "x\n1\n");
    let (kind, text) = refused(&world.session(Some("acme")), "select * from secret").await;
    assert_eq!(kind, ErrorKind::UnknownTable, "{text}");
    let listed =
        "select table_name, table_type from information_schema.tables where table_schema = 'public' order by 1";
    let listed = rows(&world.session(Some("acme")), listed).await.unwrap();
    assert!(listed.contains(&"skills|BASE TABLE".to_owned()), "{listed:?}");
    assert!(!listed.iter().any(|line| line.starts_with("secret")), "{listed:?}");
}

#[tokio::test]
async fn a_view_reads_with_the_rights_of_its_reader() {
    let world = world();
    let all = administrator(&world, None);
    let text = "create view seen as select account_id, count(*) as n from segments group by 1";
    assert_eq!(done(&all, text).await, ("CREATE VIEW", None));
    let accounts = "select account_id from seen order by 1";
    assert_eq!(rows(&all, accounts).await.unwrap(), ["acme", "bolt"]);
    assert_eq!(rows(&world.session(Some("acme")), accounts).await.unwrap(), ["acme"]);
    assert_eq!(rows(&world.session(Some("nobody")), accounts).await.unwrap(), [""; 0]);
    // An account's own one covers it, and nobody else sees that.
    let acme = administrator(&world, Some("acme"));
    done(&acme, "create view seen as select 'own' as account_id").await;
    assert_eq!(rows(&acme, accounts).await.unwrap(), ["own"]);
    assert_eq!(rows(&world.session(Some("bolt")), accounts).await.unwrap(), ["bolt"]);
    done(&acme, "drop view seen").await;
    assert_eq!(rows(&acme, accounts).await.unwrap(), ["acme"]);
    let (kind, text) = refused(&acme, "drop view seen").await;
    assert_eq!(kind, ErrorKind::NotPermitted);
    assert_eq!(text, "\"seen\" is for all accounts, and is changed in a session of all accounts alone");
}

#[tokio::test]
async fn who_may_not_define_is_told_so_and_changes_nothing() {
    let world = world();
    for session in [world.session(None), administrator(&world, None).only_reading()] {
        for text in [
            "create view v as select 1 as x",
            "create or replace view skills as select 1 as x",
            "drop table skills",
            "alter table skills rename to names",
            "drop view if exists nothing",
        ] {
            let (kind, _) = refused(&session, text).await;
            assert!([ErrorKind::NotPermitted, ErrorKind::ReadOnly].contains(&kind), "{text}: {kind:?}");
        }
    }
    assert_eq!(world.store.relations().all().count(), 2);
}

#[tokio::test]
async fn statements_that_define_answer_as_postgresql_does() {
    let world = world();
    let session = administrator(&world, None);
    assert_eq!(
        done(&session, "CREATE VIEW \"skillscope\".\"public\".v (a, \"B\") AS (select 1, 2)").await,
        ("CREATE VIEW", None)
    );
    assert_eq!(rows(&session, "select a, \"B\" from public.v").await.unwrap(), ["1|2"]);
    let (kind, text) = refused(&session, "create view v as select 1 as x").await;
    assert_eq!((kind, text.as_str()), (ErrorKind::NameTaken, "relation \"v\" already exists"));
    let notice = Some("relation \"v\" already exists, skipping".to_owned());
    assert_eq!(done(&session, "create view if not exists v as select 1 as x").await, ("CREATE VIEW", notice));
    done(&session, "create or replace view V as select 3 as a").await;
    assert_eq!(rows(&session, "select a from v").await.unwrap(), ["3"]);
    assert_eq!(done(&session, "/* dbt */ alter view v rename to \"W w\";").await, ("ALTER VIEW", None));
    assert_eq!(rows(&session, "select a from \"W w\"").await.unwrap(), ["3"]);
    let (kind, text) = refused(&session, "drop view v").await;
    assert_eq!((kind, text.as_str()), (ErrorKind::UnknownTable, "view \"v\" does not exist"));
    let notice = Some("view \"v\" does not exist, skipping".to_owned());
    assert_eq!(done(&session, "drop view if exists v cascade").await, ("DROP VIEW", notice));
    let (kind, text) = refused(&session, "drop view skills").await;
    assert_eq!(kind, ErrorKind::WrongKind, "{text}");
    assert_eq!(done(&session, "drop table skills").await, ("DROP TABLE", None));
    assert_eq!(done(&session, "drop view \"W w\"").await, ("DROP VIEW", None));
    let notice = Some("schema \"public\" already exists, skipping".to_owned());
    assert_eq!(done(&session, "create schema if not exists public").await, ("CREATE SCHEMA", notice));
    // Those of acme are its own.
    assert_eq!(world.store.relations().all().count(), 1);
}

#[tokio::test]
async fn several_are_dropped_together_or_not_at_all() {
    let world = world();
    let session = administrator(&world, None).with_temporary_views();
    for name in ["a", "b", "c"] {
        done(&session, &format!("create view {name} as select 1 as x")).await;
    }
    done(&session, "create temporary view t as select 1 as x").await;
    let views = || async {
        let listed = "select table_name from information_schema.tables \
                      where table_type = 'VIEW' and length(table_name) = 1 order by 1";
        rows(&session, listed).await.unwrap().concat()
    };
    for (text, kind) in [
        ("drop view a, nothing, b", ErrorKind::UnknownTable),
        ("drop view t, a, nothing", ErrorKind::UnknownTable),
        ("drop view a, t, skills", ErrorKind::WrongKind),
        ("drop view if exists a, skills, nothing", ErrorKind::WrongKind),
        ("drop table skills, a", ErrorKind::WrongKind),
        ("drop table if exists nothing, skills, t", ErrorKind::WrongKind),
    ] {
        assert_eq!(refused(&session, text).await.0, kind, "{text}");
        assert_eq!(views().await, "abct", "{text}");
    }
    assert_eq!(done(&session, "drop view a, t, a").await, ("DROP VIEW", None));
    assert_eq!(views().await, "bc");
    let notice = "view \"nothing\" does not exist, skipping; view \"a\" does not exist, skipping";
    let dropped = done(&session, "drop view if exists nothing, c, a, b").await;
    assert_eq!(dropped, ("DROP VIEW", Some(notice.to_owned())));
    assert_eq!(views().await, "");
    put(&world, None, "names", "x\n1\n");
    assert_eq!(done(&session, "drop table names, skills").await, ("DROP TABLE", None));
    // Those of acme are its own.
    assert_eq!(world.store.relations().all().count(), 1);
}

#[tokio::test]
async fn rows_are_never_changed() {
    let world = world();
    let session = administrator(&world, None);
    for text in [
        "insert into skills values (3, 'x')",
        "update segments set skill_id = 1",
        "delete from skills",
        "truncate segments",
        "create table x as select 1",
        "alter table skills add column x int",
    ] {
        let (kind, text) = refused(&session, text).await;
        assert_eq!(kind, ErrorKind::ReadOnly, "{text}");
    }
    for name in ["segments", "metrics_by_hour", "metrics_by_year", "pg_class", "open_conversations", "system"] {
        let (_, text) = refused(&session, &format!("create or replace view {name} as select 1 as x")).await;
        assert_eq!(text, format!("\"{name}\" is a name of skillscope's own; choose another one"));
        refused(&session, &format!("drop view {name}")).await;
        refused(&session, &format!("drop table {name}")).await;
    }
    for (text, reason) in [
        ("create view system.v as select 1 as x", "takes no tables and views"),
        ("create view other.public.v as select 1 as x", "there is no database"),
        ("create view v as select 1 as x, 2 as x", "column \"x\" specified more than once"),
        ("create view v as select $1 as x", "parameter"),
        ("create view v as select * from nowhere", "nowhere"),
        ("create view v as select no_such_column from segments", "no_such_column"),
        ("create temporary view v as select 1 as x", "PostgreSQL's protocol"),
        ("create schema analytics", "there is only the schema public"),
    ] {
        let (_, told) = refused(&session, text).await;
        assert!(told.contains(reason), "{text}: {told}");
    }
    assert_eq!(world.store.relations().all().count(), 2);
}

#[tokio::test]
async fn a_view_that_no_longer_plans_costs_nothing_else() {
    let world = world();
    let session = administrator(&world, None);
    done(&session, "create view good as select name from skills").await;
    done(&session, "create view broken as select name from skills").await;
    done(&session, "create view above as select * from broken").await;
    done(&session, "create or replace view good as select 1 as x").await;
    done(&session, "drop table skills").await;
    for (name, kind) in [("broken", ErrorKind::UnknownTable), ("above", ErrorKind::UnknownTable)] {
        let (found, text) = refused(&session, &format!("select * from {name}")).await;
        assert_eq!(found, kind);
        assert!(text.contains(&format!("the view \"{name}\" cannot be read: ")) && text.contains("skills"), "{text}");
    }
    assert_eq!(rows(&session, "select x from good").await.unwrap(), ["1"]);
    let views = "select table_name from information_schema.tables where table_type = 'VIEW' and table_schema = 'public' order by 1";
    let listed = rows(&session, views).await.unwrap();
    assert!(["above", "broken", "good"].iter().all(|name| listed.iter().any(|listed| listed == name)), "{listed:?}");
    let columns = "select table_name, column_name, data_type from information_schema.columns where table_name in ('good', 'broken')";
    assert_eq!(rows(&session, columns).await.unwrap().len(), 1);
    let definitions = "select view_definition from information_schema.views where table_name = 'broken'";
    assert_eq!(rows(&session, definitions).await.unwrap(), ["SELECT name FROM skills"]);
    // The next table of the name mends it.
    put(&world, None, "skills", "skill_id,name\n1,Billing\n");
    assert_eq!(rows(&session, "select * from above").await.unwrap(), ["Billing"]);
}

#[tokio::test]
async fn views_that_name_one_another_are_bounded() {
    let world = world();
    let session = administrator(&world, None);
    assert_eq!(refused(&session, "create view v as select * from v").await.0, ErrorKind::UnknownTable);
    done(&session, "create view v0 as select 1 as x").await;
    for number in 1..=15 {
        done(&session, &format!("create view v{number} as select * from v{}", number - 1)).await;
    }
    assert_eq!(rows(&session, "select * from v15").await.unwrap(), ["1"]);
    let (_, text) = refused(&session, "create view v16 as select * from v15").await;
    assert!(text.contains("more than 16 levels deep"), "{text}");
    let (_, text) = refused(&session, "create or replace view v0 as select * from v15").await;
    assert!(text.contains("names itself"), "{text}");
    // Each names two, so that the last would have 2^12 scans.
    done(&session, "create view w0 as select 1 as x").await;
    for number in 1..=9 {
        let before = number - 1;
        done(&session, &format!("create view w{number} as select a.x from w{before} a, w{before} b")).await;
    }
    let deep = (10..=15).map(|number| format!("create view w{number} as select a.x from w{0} a, w{0} b", number - 1));
    let mut refusals = 0;
    for text in deep {
        refusals += usize::from(session.run(&text, Vec::new()).await.is_err());
    }
    assert!(refusals > 0);
    let long = format!("create view long as select '{}' as x", "x".repeat(70_000));
    let (_, text) = refused(&session, &long).await;
    assert!(text.contains("at most 65536 are kept"), "{text}");
}

#[tokio::test]
async fn columns_of_all_views_are_listed_however_many_there_are() {
    let world = world();
    let owner = Some(AccountId::parse("acme").unwrap());
    let view = |name: &str, query: &str| {
        let view = Relation::view(owner.clone(), RelationName::parse(name).unwrap(), query).unwrap();
        world.store.put_relation(view, IfThere::Refuse).unwrap();
    };
    view("v0", "select 1 as x, 'a' as y");
    // Each names another one; the list is not longer for it.
    for number in 1..300 {
        view(&format!("v{number}"), &format!("select x + 1 as x, y from v{}", (number - 1) % 12));
    }
    view("listed", "select * from information_schema.columns where table_name ~ '^v[0-9]+$'");
    let session = world.session(Some("acme"));
    for table in ["information_schema.columns where table_name ~ '^v[0-9]+$'", "listed"] {
        let text = format!("select count(*), count(distinct table_name), max(data_type) from {table}");
        assert_eq!(rows(&session, &text).await.unwrap(), ["600|300|text"], "{table}");
    }
    let text =
        "select column_name from information_schema.columns where table_name = 'listed' and ordinal_position = 4";
    assert_eq!(rows(&session, text).await.unwrap(), ["column_name"]);
    // To read them is another matter.
    let all: Vec<String> = (0..201).map(|number| format!("select x from v{number}")).collect();
    let (_, text) = refused(&session, &all.join(" union all ")).await;
    assert!(text.contains("more than 200 views"), "{text}");
}

#[tokio::test]
async fn temporary_views_are_the_sessions_own() {
    let world = world();
    let session = world.session(Some("acme")).with_temporary_views();
    let other = world.session(Some("acme")).with_temporary_views();
    assert_eq!(done(&session, "create temporary view t as select name from skills").await, ("CREATE VIEW", None));
    assert_eq!(rows(&session.clone(), "select * from t").await.unwrap(), ["Loans"]);
    assert_eq!(refused(&other, "select * from t").await.0, ErrorKind::UnknownTable);
    assert_eq!(refused(&session, "create temp view t as select 1 as x").await.0, ErrorKind::NameTaken);
    done(&session, "create or replace temp view t as select 2 as x").await;
    done(&session, "create temp view above as select x + 1 as y from t").await;
    let listed =
        "select table_name, table_type from information_schema.tables where table_name in ('t', 'above') order by 1";
    assert_eq!(rows(&session, listed).await.unwrap(), ["above|VIEW", "t|VIEW"]);
    assert_eq!(rows(&other, listed).await.unwrap(), [""; 0]);
    done(&session, "alter view t rename to u").await;
    assert_eq!(done(&session, "drop view u").await, ("DROP VIEW", None));
    // What is kept is not the session's to drop.
    assert_eq!(refused(&session, "drop table skills").await.0, ErrorKind::NotPermitted);
    // A temporary view covers a table of its name, and a view that is kept does not see it.
    let session = administrator(&world, Some("acme")).with_temporary_views();
    done(&session, "create view kept as select name from skills").await;
    done(&session, "create temp view skills as select 'temporary' as name").await;
    assert_eq!(rows(&session, "select name from skills").await.unwrap(), ["temporary"]);
    assert_eq!(rows(&session, "select name from public.kept").await.unwrap(), ["Loans"]);
    assert_eq!(refused(&session, "create view v as select * from pg_temp.skills").await.0, ErrorKind::UnknownTable);
    session.drop_temporary_views();
    assert_eq!(rows(&session, "select name from skills").await.unwrap(), ["Loans"]);
}

#[tokio::test]
async fn a_view_is_described_and_has_totals_as_its_query_has() {
    let world = world();
    let session = administrator(&world, None);
    done(&session, "create view by_skill as select skill_id, count(*) as n from segments group by 1").await;
    let plan = rows(&session, "explain select * from by_skill").await.unwrap();
    assert!(plan.iter().any(|line| line.contains("SegmentTotals")), "{plan:?}");
    let described = session.describe("select * from by_skill where skill_id = $1").await.unwrap();
    assert_eq!(described.schema.fields().len(), 2);
    assert_eq!(described.parameters, [Some(arrow::datatypes::DataType::Int64)]);
    assert_eq!(session.describe("create view x as select 1 as a").await.unwrap().schema.fields().len(), 0);
    done(&session, "create view hidden as select end_time::date from segments order by end_time").await;
    assert_eq!(rows(&session, "select min(end_time) is not null from hidden").await.unwrap(), ["true"]);
}
