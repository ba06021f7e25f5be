//! SQL over the segments: whose rows a session sees, which statements are run, and what errors say.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use skillscope_segment::{Outcome, UserType};

use super::world::{Facts, World, segments};
use crate::Error;

const NOW: i64 = 1_516_265_515_679;

fn two_accounts() -> World {
    let fact = |account, skill| Facts {
        account,
        skill,
        end_time: NOW - 1,
        user_type: UserType::Bot,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: Some(3),
    };
    World::new(NOW, &segments(&[fact("acme", 1), fact("acme", 2), fact("bolt", 3)]))
}

/// Some segments of two accounts in files, of which those of the last hour are in memory too.
fn archived() -> World {
    let fact = |account, age| Facts {
        account,
        skill: 1,
        end_time: NOW - age,
        user_type: UserType::Human,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: Some(3),
    };
    let facts = [fact("acme", 1), fact("acme", 5 * 3_600_000), fact("bolt", 5 * 3_600_000)];
    World::with_hot_hours(NOW, 1, 3, &segments(&facts))
}

async fn run(world: &World, text: &str, account: Option<&str>) -> Result<Vec<RecordBatch>, Error> {
    world.sql(text, account).await
}

async fn number(world: &World, text: &str, account: Option<&str>) -> i64 {
    let batches = run(world, text, account).await.unwrap();
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

#[tokio::test]
async fn an_account_sees_its_own_rows_alone() {
    let world = two_accounts();
    let count = "select count(*) from segments";
    assert_eq!(number(&world, count, None).await, 3);
    assert_eq!(number(&world, count, Some("acme")).await, 2);
    assert_eq!(number(&world, count, Some("nobody")).await, 0);
    let of_another = "select count(*) from segments where account_id = 'bolt' or true";
    assert_eq!(number(&world, of_another, Some("acme")).await, 2);
}

#[tokio::test]
async fn the_files_of_the_archive_are_a_table() {
    let world = archived();
    let text = "select count(*) from system.files where state = 'sealed' and rows = 1 and bytes > 1000";
    assert_eq!(number(&world, text, None).await, 3);
    assert_eq!(number(&world, "select count(*) from system.files", Some("bolt")).await, 1);
    assert_eq!(number(&world, "select count(*) from system.files where in_memory", None).await, 1);
    let hour = "select count(*) from system.files where first_hour <= first_end_time \
                and last_end_time < last_hour + interval '1 hour' and written > last_end_time";
    assert_eq!(number(&world, hour, None).await, 3);
    let named =
        "select count(*) from system.files where path like 'archive/account=' || account_id || '/date=2018-01-18/%'";
    assert_eq!(number(&world, named, None).await, 3);
}

#[tokio::test]
async fn an_account_sees_its_own_files_alone_in_every_way() {
    let world = archived();
    let explained = run(&world, "explain select * from segments", Some("acme")).await.unwrap();
    let text = datafusion::arrow::util::pretty::pretty_format_batches(&explained).unwrap().to_string();
    assert!(text.contains("account=acme") && !text.contains("bolt"), "{text}");
    let count = "select count(distinct account_id) from segments";
    assert_eq!(number(&world, count, Some("acme")).await, 1);
}

#[tokio::test]
async fn archived_rows_have_the_types_and_values_of_rows_in_memory() {
    let world = archived();
    let by_place = |place: &str| {
        format!(
            "select arrow_typeof(account_id) || arrow_typeof(user_type) || arrow_typeof(end_time) || arrow_typeof(source), \
             conversation_id is not null and start_reason = 'new_conversation' and not abandoned_in_queue \
             and time_to_first_agent_message_ms = 3 from segments where end_time {place} arrow_cast({}, 'Timestamp(Millisecond, Some(\"UTC\"))') limit 1",
            NOW - 3_600_000
        )
    };
    let memory = run(&world, &by_place(">="), None).await.unwrap();
    let files = run(&world, &by_place("<"), None).await.unwrap();
    assert_eq!(memory.iter().map(RecordBatch::num_rows).sum::<usize>(), 1);
    let shown =
        |batches: &[RecordBatch]| datafusion::arrow::util::pretty::pretty_format_batches(batches).unwrap().to_string();
    assert_eq!(shown(&memory), shown(&files));
    assert!(shown(&memory).contains("true"), "{}", shown(&memory));
}

#[tokio::test]
async fn now_is_the_engines_clock() {
    let world = two_accounts();
    let text = "select cast(arrow_cast(now(), 'Timestamp(Millisecond, None)') as bigint)";
    assert_eq!(number(&world, text, None).await, NOW);
    assert_eq!(number(&world, "select count(*) from segments where end_time < now()", None).await, 3);
}

#[tokio::test]
async fn only_statements_that_read_are_run() {
    let world = two_accounts();
    for text in [
        "create table t as select 1",
        "create external table t stored as csv location '/etc/passwd'",
        "create view v as select 1",
        "drop table segments",
        "insert into segments select * from segments",
        "delete from segments",
        "update segments set skill_id = 1",
        "truncate table segments",
        "copy segments to '/tmp/copied.csv'",
        "copy (select 1) to '/tmp/copied.parquet'",
        "set datafusion.execution.batch_size = 1",
        "begin",
        "prepare p as select 1",
        "explain analyze insert into segments select * from segments",
        "explain copy segments to '/tmp/copied.csv'",
        "select * from '/etc/passwd'",
        "select 1; select 2",
        "",
    ] {
        let refused = run(&world, text, None).await.err().unwrap_or_else(|| panic!("{text:?} was run"));
        let may_be = matches!(
            refused,
            Error::Sql(_) | Error::ReadOnly | Error::Refused(_) | Error::NotAdministrator | Error::Ours { .. }
        );
        assert!(may_be, "{text:?}: {refused:?}");
    }
    assert_eq!(number(&world, "select count(*) from segments", None).await, 3);
}

#[tokio::test]
async fn an_error_says_what_is_wrong_with_the_statement() {
    let world = two_accounts();
    for (text, part) in [("selec 1", "selec"), ("select nothing from segments", "nothing"), ("select 1 from t", "t")] {
        let error = run(&world, text, None).await.unwrap_err().to_string();
        assert!(error.to_lowercase().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_long_statement_is_no_deep_one() {
    let world = two_accounts();
    let list = |numbers: usize| (0..numbers).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let or = (0..250).map(|number| format!("skill_id = {number}")).collect::<Vec<_>>().join(" or ");
    let nested_or = (0..100).fold("false".to_owned(), |inner, number| format!("({inner} or skill_id = {number})"));
    for (text, expected) in [
        (format!("select count(*) from segments where {or}"), 3),
        (format!("select count(*) from segments where not ({or})"), 0),
        (format!("select count(*) from segments where {nested_or}"), 3),
        (format!("select count(*) from segments where {}skill_id > 1", "skill_id > 0 and ".repeat(500)), 2),
        (format!("select count(*) from segments where skill_id in ({})", list(1_000)), 3),
        (format!("select count(*) from segments where skill_id not in ({})", list(1_000)), 0),
        (format!("select max({}skill_id) from segments", "skill_id + ".repeat(249)), 750),
        (format!("select length(max({}account_id))::bigint from segments", "account_id || ".repeat(249)), 1_000),
        (format!("select count(*) from ({} select 1)", "select 1 union all ".repeat(250)), 251),
        (format!("select count(*) from ({} select 1)", "select 1 union ".repeat(210)), 1),
        (format!("select {}7{}", "(".repeat(48), ")".repeat(48)), 7),
        (format!("select {}7{}", "(".repeat(195), ")".repeat(195)), 7),
        (format!("select {}7{}", "abs(".repeat(190), ")".repeat(190)), 7),
        (format!("select {}7{}", "(select ".repeat(40), ")".repeat(40)), 7),
        (format!("{}select count(*) from segments{}", "select * from (".repeat(40), ")".repeat(40)), 3),
        (format!("{}select count(*) from segments{}", "select * from (".repeat(60), ")".repeat(60)), 3),
        (format!("select {}7{}", "case when true then ".repeat(150), " end".repeat(150)), 7),
    ] {
        assert_eq!(number(&world, &text, None).await, expected, "{} …", &text[..60.min(text.len())]);
    }
}

fn tables(name: &str, times: usize) -> String {
    (0..times).map(|number| format!("{name} as t{number}")).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn an_enormous_statement_is_answered_or_refused_and_nothing_worse() {
    let world = two_accounts();
    let doubled = |parts: usize| {
        let part = |part: usize| format!("p{} as (select * from P{part} union all select * from `p{part}`)", part + 1);
        let parts: Vec<_> = (0..parts).map(part).collect();
        format!("with p0 as (select 1 as x), {} select count(*) from p{}", parts.join(", "), parts.len())
    };
    let plus = |terms| format!("select {}1 from segments", "skill_id+".repeat(terms));
    for text in [
        plus(100_000),
        format!("select {}1 from segments", "skill_id-".repeat(300)),
        format!("select {}1", "1-2+".repeat(200)),
        format!("select {}1{}", "(".repeat(4_900), ")".repeat(4_900)),
        format!("select {}true", "not ".repeat(9_900)),
        format!("select {} 1", "- ".repeat(9_900)),
        format!("{} select 1", "select 1 union all ".repeat(3_000)),
        format!("{} select 1", "select 1 except ".repeat(300)),
        format!("select {}1{}", "abs(".repeat(210), ")".repeat(210)),
        format!("{}select 1{}", "select * from (".repeat(210), ")".repeat(210)),
        format!("select 1 where 1 in ({}1{}", "select 1 where 1 in (".repeat(40), ")".repeat(41)),
        format!("select {}1{}", "case when true then ".repeat(1_900), " end".repeat(1_900)),
        format!("select {}1{}", "abs(".repeat(3_000), ")".repeat(3_000)),
        doubled(40),
        format!("explain {}", doubled(40)),
        format!("select * from ({})", doubled(64)),
        format!("select '{}", "x".repeat(1_000_000)),
        "(".repeat(24 << 20),
        format!("select {}1", "1*".repeat(4_900)),
        format!("select {}", "(".repeat(60)),
        format!("select {}", "(".repeat(1_000)),
        format!("select {} 1", "* from ((select ".repeat(60)),
        format!("select {} 1", "cast(".repeat(100)),
        format!("select {} 1", "not(".repeat(100)),
        format!("select {} 1", "exists(".repeat(100)),
        format!("select {} 1", "array[".repeat(100)),
        format!("select {} 1", "case when ".repeat(100)),
        format!("select {} 1", "interval(".repeat(100)),
        format!("select {} 1", "f(x, (".repeat(100)),
        format!("select * from {}segments", "(".repeat(60)),
        format!("select count(*) from segments group by cube ({}skill_id)", "skill_id, ".repeat(12)),
        format!("select count(*) from segments group by cube ({}skill_id)", "skill_id, ".repeat(23)),
        format!("select count(*) from segments group by {}", ["rollup (skill_id, outcome)"; 12].join(", ")),
        format!("select {}skill_id{} from segments", "coalesce(".repeat(60), ", 1)".repeat(60)),
        format!("select {}true{}", "(".repeat(40), " between false and true)".repeat(40)),
        format!("select * from segments {}", "cross join segments ".repeat(1_000)),
        format!("select 1::int{}", "[]".repeat(2_000)),
        format!("explain verbose select * from {}", tables("segments", 60)),
        format!(
            "with a as (select * from {0}), b as (select * from {1}) select * from {2}",
            tables("segments", 150),
            tables("a", 150),
            tables("b", 150)
        ),
    ] {
        assert!(matches!(run(&world, &text, None).await, Err(Error::Sql(_))), "{} … was run", &text[..40]);
    }
    assert_eq!(number(&world, &doubled(5), None).await, 32);
    assert_eq!(number(&world, "select count(*) from segments", None).await, 3);
}
