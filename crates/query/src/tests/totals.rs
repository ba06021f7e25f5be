//! What running totals answer is what a scan of the rows gives.

use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use skillscope_segment::{Outcome, Segment, UserType};

use super::random::{NOW, any_facts, any_request, parameters};
use super::world::{Facts, World, json, segments};

const NODE: &str = "SegmentTotals: ";

async fn by_totals(world: &World, text: &str) -> Vec<RecordBatch> {
    world.sql(text, None).await.unwrap()
}

async fn by_scan(world: &World, text: &str) -> Vec<RecordBatch> {
    world.sql_by_scan(text).await
}

/// The rows as text, in order, with the names and types of their columns.
fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let text = pretty_format_batches(batches).unwrap().to_string();
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    rows.sort();
    rows.extend(batches.first().map(|batch| format!("{:?}", batch.schema().fields())));
    rows
}

async fn plan(world: &World, text: &str) -> String {
    let batches = by_totals(world, &format!("explain {text}")).await;
    pretty_format_batches(&batches).unwrap().to_string()
}

fn a_few() -> World {
    let fact = |skill, age, user_type, outcome, sample| Facts {
        account: "acme",
        skill,
        end_time: NOW - age,
        user_type,
        outcome,
        in_queue: true,
        sample,
    };
    World::new(
        NOW,
        &segments(&[
            fact(7, 1, UserType::Human, Outcome::Interactive, Some(5)),
            fact(7, 2, UserType::Bot, Outcome::Interactive, None),
            fact(12, 7_200_001, UserType::Human, Outcome::NonResponsiveConsumer, Some(1 << 36)),
            fact(12, 3_600_000, UserType::None, Outcome::Abandoned, None),
        ]),
    )
}

#[tokio::test]
async fn the_endpoints_plan_is_a_look_up_of_totals() {
    let world = a_few();
    for query in [
        vec![("timeframe", "1440"), ("v", "1")],
        vec![("timeframe", "60"), ("interval", "5"), ("v", "1")],
        vec![("timeframe", "60"), ("interval", "5"), ("skillIds", "7,12"), ("userType", "human"), ("v", "1")],
    ] {
        let request = world.request("acme", &query).unwrap();
        let plan = world.engine.plan_report(&request).await.unwrap().to_string();
        assert!(plan.starts_with(NODE) && plan.lines().count() == 1, "{query:?}:\n{plan}");
        let scanned = world.engine.plan_report_by_scan(&request).await.unwrap().to_string();
        assert!(scanned.contains("SegmentsScan") && !scanned.contains(NODE), "{scanned}");
    }
}

#[tokio::test]
async fn analysts_sql_of_the_shape_is_a_look_up_too() {
    let world = a_few();
    for text in [
        "select count(*) from segments",
        "select skill_id, date_bin(interval '5 minutes', end_time), count(*) from segments group by 1, 2",
        "select skill_id, date_bin(interval '5 minutes', end_time), count(*) from segments \
         where end_time >= now() - interval '2 hours' and user_type <> 'bot' group by 1, 2",
        "select s.skill_id, date_trunc('hour', s.end_time) as hour, avg(s.time_to_first_agent_message_ms) \
         from segments s where s.account_id like 'a%' and s.skill_id % 2 = 1 group by 1, 2 order by 1, 2 limit 3",
        "select user_type, count(*) filter (where outcome in ('abandoned', 'interactive') and not abandoned_in_queue), \
         count(time_to_first_agent_message_ms), sum(case when outcome = 'abandoned' then 1 else 0 end) \
         from segments where end_time between '2018-01-18T06:00:00Z' and '2018-01-18T08:00:00.5Z' group by user_type",
        "select account_id, n from (select account_id, count(*) as n from segments group by account_id) where n > 1",
        "select count(*) filter (where time_to_first_agent_message_ms is null) from segments where skill_id in (7, 8)",
        "select count(distinct skill_id) from segments",
        "select date_trunc('hour', cast(end_time as timestamp(6))), count(*) from segments group by 1",
        "select date_bin(interval '1 hour', end_time::timestamp(6)), count(*) from segments group by 1",
        "select date_bin(interval '1 hour', end_time::timestamp(3)), count(*) from segments group by 1",
        "select date_bin(interval '20000 days', end_time::timestamp(3), timestamp '1950-01-01T00:00:00.0000005'), \
         count(*) from segments group by 1",
        "select count(*) from segments where account_id = 'acme' and length(account_id) > 3 and skill_id in (7, 12) \
         and skill_id > 8 and user_type in ('bot', 'none') and user_type <> 'bot'",
        "select count(*) from segments where end_time > now() and end_time < now() - interval '1 hour'",
        "select a.skill_id, a.n from (select skill_id, count(*) n from segments group by 1) a \
         join (select skill_id, sum(time_to_first_agent_message_ms) s from segments group by 1) b \
         on a.skill_id = b.skill_id",
    ] {
        let plan = plan(&world, text).await;
        assert!(plan.contains(NODE) && !plan.contains("SegmentsScan"), "{text}:\n{plan}");
        assert_eq!(rows(&by_totals(&world, text).await), rows(&by_scan(&world, text).await), "{text}");
    }
}

#[tokio::test]
async fn any_other_shape_is_a_scan() {
    let world = a_few();
    for text in [
        "select max(end_time) from segments",
        "select count(last_agent_id) from segments",
        "select sum(agent_messages) from segments",
        "select source, count(*) from segments group by 1",
        "select date_bin(interval '1 month', end_time), count(*) from segments group by 1",
        "select date_bin(interval '1500 microseconds', end_time), count(*) from segments group by 1",
        "select date_trunc('month', end_time), count(*) from segments group by 1",
        "select date_trunc('hour', end_time::timestamp(0)), count(*) from segments group by 1",
        "select date_bin(interval '1 hour', end_time, timestamp '1700-01-01T00:00:00Z'), count(*) from segments group by 1",
        "select count(*) from segments where account_id <> 'nobody' and cast(skill_id as smallint) / (skill_id - 99) < 9 \
         and cast(cast(skill_id as text) || account_id as text) <> ''",
        "select count(*) from segments where skill_id = 7 or user_type = 'bot'",
        "select count(*) from segments where end_time < start_time + interval '1 hour'",
        "select count(*) from segments where extract(hour from end_time) = 8",
        "select count(*) from segments where random() < 2 and skill_id > random()",
        "select count(*) filter (where time_to_first_agent_message_ms > 5) from segments",
        "select sum(time_to_first_agent_message_ms) filter (where outcome = 'interactive') from segments",
        "select count(*) filter (where skill_id = 7) from segments",
        "select skill_id, count(*) from segments group by rollup (skill_id)",
        "select count(*) from (select * from segments limit 2)",
    ] {
        let plan = plan(&world, text).await;
        assert!(!plan.contains(NODE), "{text}:\n{plan}");
        assert_eq!(rows(&by_totals(&world, text).await), rows(&by_scan(&world, text).await), "{text}");
    }
}

#[tokio::test]
async fn bins_of_hardly_a_row_each_are_a_scan() {
    let fact = |number: i64| Facts {
        account: "acme",
        skill: 7,
        end_time: NOW - number * 40,
        user_type: UserType::Human,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: None,
    };
    let world = World::new(NOW, &[]);
    world.append(&segments(&(0..70_000).map(fact).collect::<Vec<_>>()));
    let text = |width| {
        let bins =
            format!("select date_bin(interval '{width}', end_time) as t, count(*) as n from segments group by 1");
        format!("select count(*), sum(n), min(t), max(t) from ({bins})")
    };
    for (width, is_scan) in [("1 millisecond", true), ("100 milliseconds", false), ("1 minute", false)] {
        let plan = plan(&world, &text(width)).await;
        let physical = plan.split_once("physical_plan").unwrap().1;
        assert_eq!(physical.contains("SegmentsScan"), is_scan, "{width}:\n{plan}");
        assert_eq!(rows(&by_totals(&world, &text(width)).await), rows(&by_scan(&world, &text(width)).await), "{width}");
    }
}

#[tokio::test]
async fn a_look_up_counts_its_work() {
    let plan = plan(&a_few(), "analyze select skill_id, count(*) from segments group by 1").await;
    let line = plan.lines().find(|line| line.contains(NODE)).unwrap();
    assert!(line.contains("skills=2") && line.contains("output_rows=2"), "{plan}");
}

#[tokio::test]
async fn an_account_sees_totals_of_its_own_rows_alone() {
    let of = |account| Facts {
        account,
        skill: 1,
        end_time: NOW - 1,
        user_type: UserType::Bot,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: None,
    };
    let world = World::new(NOW, &segments(&[of("acme"), of("bolt")]));
    for text in [
        "select count(*) from segments",
        "select account_id, count(*) from segments group by 1",
        "select count(*) from segments where account_id in ('acme', 'bolt')",
        "select count(*) from segments where account_id <> 'nobody'",
    ] {
        let batches = world.sql(text, Some("acme")).await.unwrap();
        let text_of = pretty_format_batches(&batches).unwrap().to_string();
        assert!(text_of.contains("| 1 ") && !text_of.contains("bolt"), "{text}:\n{text_of}");
        assert!(plan(&world, text).await.contains(NODE));
    }
}

/// A question of the shape that totals can answer.
fn any_question() -> impl Strategy<Value = String> {
    let aggregates = subsequence(
        vec![
            "count(*)",
            "count(time_to_first_agent_message_ms)",
            "sum(time_to_first_agent_message_ms)",
            "avg(time_to_first_agent_message_ms)",
            "count(*) filter (where outcome = 'abandoned')",
            "count(1) filter (where abandoned_in_queue)",
            "count(*) filter (where outcome <> 'interactive' and time_to_first_agent_message_ms is not null)",
            "sum(case when outcome in ('abandoned', 'non_responsive_agent') then 1 else 0 end)",
        ],
        1..5,
    );
    let bin = option::of(prop_oneof![
        (1_i64..4_000_000, 0_i64..4_000_000, -1_i64..1_000_000).prop_map(|(width, origin, ns)| {
            let origin = origin * 1_000_000 + ns;
            format!("date_bin(interval '{width} milliseconds', end_time, to_timestamp_nanos({origin}))")
        }),
        select(vec!["5 minutes", "1 hour", "1 day", "3 milliseconds", "30 days"])
            .prop_map(|width| format!("date_bin(interval '{width}', end_time)")),
        select(vec!["second", "minute", "hour", "day", "week"])
            .prop_map(|unit| format!("date_trunc('{unit}', end_time)")),
    ]);
    let keys = (subsequence(vec!["account_id", "skill_id", "user_type"], 0..4), bin).prop_map(|(keys, bin)| {
        let mut keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        keys.extend(bin);
        keys
    });
    let instant = (0_i64..100_000_000, 0_i64..1_000_000).prop_map(|(age, ns)| {
        let time = (NOW - age) * 1_000_000 + ns;
        format!("to_timestamp_nanos({time})")
    });
    let condition = prop_oneof![
        3 => (select(vec!["<", "<=", ">", ">=", "="]), instant).prop_map(|(op, instant)| format!("end_time {op} {instant}")),
        1 => Just("end_time >= timestamp '2018-01-18T05:00:00Z' and end_time < now()".to_owned()),
        1 => select(vec![
            "account_id = 'acme'", "account_id in ('bolt', 'nobody')", "account_id <> 'acme'",
            "skill_id = 7", "skill_id in (-1, 12, 99)", "skill_id > 0", "skill_id not in (7, 12)", "skill_id % 2 = 0",
            "user_type = 'human'", "user_type in ('bot', 'none')", "user_type <> 'mixed'", "user_type like '%o%'",
            "(skill_id = 7 or skill_id < 0)", "true",
        ]).prop_map(str::to_owned),
    ];
    (aggregates, keys, vec(condition, 0..4)).prop_map(|(aggregates, keys, conditions)| {
        let columns: Vec<String> = keys.iter().cloned().chain(aggregates.into_iter().map(str::to_owned)).collect();
        let filter = if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) };
        let places: Vec<String> = (1..=keys.len()).map(|place| place.to_string()).collect();
        let groups = if keys.is_empty() { String::new() } else { format!(" group by {}", places.join(", ")) };
        format!("select {} from segments{filter}{groups}", columns.join(", "))
    })
}

/// Facts that are skewed: mostly of one skill, in few milliseconds, with samples of any size.
fn any_skewed_facts() -> impl Strategy<Value = Facts> {
    let age = prop_oneof![6 => 0_i64..40, 1 => 0_i64..10_000_000];
    let sample = option::of(prop_oneof![4 => 0_i64..1000, 1 => select(vec![1 << 32, (1 << 32) - 1, 1 << 40])]);
    (age, sample, any_facts()).prop_map(|(age, sample, facts)| Facts {
        skill: if facts.skill == 0 { 0 } else { 7 },
        end_time: NOW - age,
        sample,
        ..facts
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn totals_and_a_scan_give_the_same_rows(
        facts in prop_oneof![vec(any_facts(), 0..150), vec(any_skewed_facts(), 0..400)],
        (hot_hours, archived) in (select(vec![0, 1, 5, 26]), select(vec![0, 0, 40, 150])),
        questions in vec(any_question(), 1..8),
        requests in vec(any_request(), 1..4),
    ) {
        // Rows are in memory, in files, in both, or still in the journal; some come after their hour was sealed.
        let world = World::with_hot_hours(NOW, hot_hours, archived, &segments(&facts));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for text in &questions {
            let fast = runtime.block_on(by_totals(&world, text));
            prop_assert_eq!(rows(&fast), rows(&runtime.block_on(by_scan(&world, text))), "{}", text);
            let plan = runtime.block_on(plan(&world, text));
            // Contradictions are answered without looking at all.
            prop_assert!(plan.contains(NODE) || plan.contains("EmptyRelation") || plan.contains("EmptyExec")
                || plan.contains("PlaceholderRowExec"), "{}:\n{}", text, plan);
        }
        for asked in &requests {
            let parameters = parameters(asked);
            let query: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let request = world.request(asked.account, &query).unwrap();
            let scanned = runtime.block_on(world.engine.plan_report_by_scan(&request)).unwrap();
            let scanned = runtime.block_on(scanned.run()).unwrap();
            prop_assert_eq!(json(&runtime.block_on(world.report(asked.account, &query))), json(&scanned), "{:?}", asked);
        }
    }
}

/// A segment in each of three skills and of three hours.
fn a_batch(name: &str) -> Vec<Segment<'static>> {
    let place = |(skill, hours): (i64, i64)| Facts {
        account: "acme",
        skill,
        end_time: NOW - hours * 3_600_000 - 1,
        user_type: UserType::Human,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: Some(7),
    };
    let places = [1, 2, 3].into_iter().flat_map(|skill| [0, 1, 2].map(|hours| (skill, hours)));
    let mut batch = segments(&places.map(place).collect::<Vec<_>>());
    for (number, segment) in batch.iter_mut().enumerate() {
        segment.conversation_id = format!("{name}-{number}").into();
    }
    batch
}

#[test]
fn a_report_has_a_batch_whole_or_not_at_all() {
    const WRITERS: usize = 2;
    const BATCHES: usize = 60;
    let world = World::new(NOW, &[]);
    let done = AtomicUsize::new(0);
    let write = |writer: usize| {
        for number in 0..BATCHES {
            world.append(&a_batch(&format!("{writer}-{number}")));
        }
        done.fetch_add(1, Ordering::SeqCst);
    };
    let is_over = || done.load(Ordering::SeqCst) == WRITERS;
    std::thread::scope(|scope| {
        (0..WRITERS).for_each(|writer| {
            scope.spawn(move || write(writer));
        });
        // Rows become runs of all kinds, and files, meanwhile.
        scope.spawn(|| {
            while !is_over() {
                world.store.seal_finished_hours().unwrap();
                while world.store.maintain().unwrap() {}
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut before = 0;
        loop {
            let was_over = is_over();
            let report =
                runtime.block_on(world.report("acme", &[("timeframe", "180"), ("interval", "60"), ("v", "1")]));
            let batches = report.summary.total.total / 9;
            assert!(batches >= before, "a later report has no less");
            before = batches;
            for interval in report.intervals.iter().flatten() {
                let totals: Vec<i64> = interval.metrics.skills.iter().map(|(_, metrics)| metrics.total).collect();
                assert!(batches == 0 || totals == [batches; 3], "{batches}: {totals:?}");
            }
            if was_over {
                break assert_eq!(batches as usize, WRITERS * BATCHES);
            }
        }
    });
}

#[tokio::test]
async fn what_finds_no_room_is_scanned() {
    let facts = |age| Facts {
        account: "acme",
        skill: 7,
        end_time: NOW - age,
        user_type: UserType::Human,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: Some(5),
    };
    let segments = segments(&(0..50).map(|number| facts(number * 600_000 + 7_200_001)).collect::<Vec<_>>());
    // Everything is older than the hot hours, in files alone, and there is no memory for totals of them.
    let world = World::with_options(NOW, 50, &segments, |options| (options.hot_hours, options.totals_bytes) = (0, 0));
    let request = world.request("acme", &[("timeframe", "240"), ("v", "1")]).unwrap();
    let plan = world.engine.plan_report(&request).await.unwrap();
    assert!(plan.to_string().contains("DataSourceExec") && !plan.to_string().contains(NODE), "{plan}");
    assert_eq!(plan.run().await.unwrap().summary.total.total, 12);
    let text = "select skill_id, count(*) as n from segments group by 1";
    let rows_of = pretty_format_batches(&by_totals(&world, text).await).unwrap().to_string();
    assert!(rows_of.contains("| 7        | 50 |"), "{rows_of}");
}
