//! The segments behind the figures of a report: as many as each says, and the ones that a loop over all segments counts.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::util::pretty::pretty_format_batches;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use skillscope_segment::{Outcome, Segment, UserType};

use super::oracle::Asked;
use super::random::{NOW, any_facts, any_request, parameters};
use super::world::{Facts, World, json, segments};

const MINUTE_MS: i64 = 60_000;

const AVERAGE: &str = "avgTimetoFirstAgentMessageFromAgentAssignment";

/// The metrics by their keys, each with the segments that it is about.
type Counts = fn(&Segment<'_>) -> bool;
const METRICS: [(&str, Counts); 7] = [
    ("totalSkillConversationSegments", |_| true),
    ("skillSegmentsAbandonedByConsumers", |segment| segment.outcome == Outcome::Abandoned),
    ("skillSegmentsAbandonedByConsumersInQueue", |segment| segment.abandoned_in_queue),
    ("skillSegmentsWithNonResponsiveConsumers", |segment| segment.outcome == Outcome::NonResponsiveConsumer),
    ("skillSegmentsWithNonResponsiveAgents", |segment| segment.outcome == Outcome::NonResponsiveAgent),
    ("interactiveSkillSegments", |segment| segment.outcome == Outcome::Interactive),
    (AVERAGE, |segment| segment.time_to_first_agent_message_ms.is_some()),
];

/// Some metrics of a report: of an interval or of the whole timeframe, of a skill or of all that were asked for.
struct Place {
    interval_start: Option<i64>,
    skill: Option<i64>,
    metrics: Value,
}

/// All metrics that a report tells.
fn places(report: &Value) -> Vec<Place> {
    let breakdown = |interval_start, breakdown: &Value| {
        let of = |skill, metrics: &Value| Place { interval_start, skill, metrics: metrics.clone() };
        let skills = breakdown["skillsMetrics"].as_object().unwrap().iter();
        let skills = skills.map(|(skill, metrics)| of(Some(skill.parse().unwrap()), metrics));
        skills.chain([of(None, &breakdown["metricsTotal"])]).collect::<Vec<_>>()
    };
    let Some(intervals) = report["metricsByIntervals"].as_array() else { return breakdown(None, report) };
    let intervals = intervals.iter().flat_map(|interval| breakdown(interval["timestamp"].as_i64(), interval));
    intervals.chain(breakdown(None, &report["timeframeSummary"])).collect()
}

/// The call of the function for a figure.
fn call(asked: &Asked, place: &Place, metric: &str) -> String {
    let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
    let of_request = asked.skills.as_ref().map(|skills| {
        let skills: Vec<String> = skills.iter().map(i64::to_string).collect();
        format!("'{}'", skills.join(","))
    });
    format!(
        "report_segments('{}', {}, {}, {}, {}, {}, '{metric}', {})",
        asked.account,
        asked.now,
        asked.timeframe,
        or_null(asked.interval.map(|minutes| minutes.to_string())),
        or_null(place.interval_start.map(|start| start.to_string())),
        or_null(place.skill.map(|skill| skill.to_string()).or(of_request)),
        or_null(asked.user_type.map(|user_type| format!("'{}'", user_type.as_str()))),
    )
}

/// The conversations that a loop over all segments finds for a figure.
fn expected(asked: &Asked, place: &Place, counts: Counts, segments: &[Segment<'_>]) -> Vec<String> {
    let whole = asked.now - asked.timeframe * MINUTE_MS..asked.now;
    let range = place.interval_start.map_or(whole, |start| start..start + asked.interval.unwrap() * MINUTE_MS);
    let is_counted = |segment: &&Segment<'_>| {
        segment.account_id == asked.account
            && range.contains(&segment.end_time)
            && place.skill.is_none_or(|skill| skill == segment.skill_id)
            && asked.skills.as_ref().is_none_or(|skills| skills.contains(&segment.skill_id))
            && asked.user_type.is_none_or(|user_type| segment.user_type == user_type)
            && counts(segment)
    };
    let ids = segments.iter().filter(is_counted).map(|segment| segment.conversation_id.to_string());
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    ids
}

/// The conversations of some rows, in order, and their times to the first message of an agent.
fn found(batches: &[RecordBatch]) -> (Vec<String>, Vec<i64>) {
    let (mut conversations, mut times) = (Vec::new(), Vec::new());
    for batch in batches {
        let column = batch.column_by_name("conversation_id").unwrap().as_string::<i32>();
        conversations.extend(column.iter().map(|id| id.unwrap().to_owned()));
        let column = batch.column_by_name("time_to_first_agent_message_ms").unwrap().as_primitive::<Int64Type>();
        times.extend(column.iter().flatten());
    }
    conversations.sort();
    (conversations, times)
}

/// Half up; 0 for none.
fn average(times: &[i64]) -> i64 {
    let (sum, count) = (times.iter().sum::<i64>(), times.len() as i64);
    if count == 0 { 0 } else { (2 * sum + count) / (2 * count) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_figure_has_as_many_segments_as_it_says(
        facts in vec(any_facts(), 0..60),
        asked in any_request(),
        (hot_hours, archived) in (select(vec![0, 1, 26]), select(vec![0, 30, 60])),
        some in any::<prop::sample::Index>(),
    ) {
        let segments = segments(&facts);
        let world = World::with_hot_hours(NOW, hot_hours, archived, &segments);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let parameters = parameters(&asked);
        let query: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let report = json(&runtime.block_on(world.report(asked.account, &query)));
        let places = places(&serde_json::from_str(&report).unwrap());
        // All of the whole timeframe and of intervals with segments, and one interval more.
        let one_more = some.index(places.len());
        let is_asked = |(number, place): &(usize, &Place)| {
            place.interval_start.is_none() || place.metrics[METRICS[0].0] != 0 || *number == one_more
        };
        for (_, place) in places.iter().enumerate().filter(is_asked) {
            for (metric, counts) in METRICS {
                let call = call(&asked, place, metric);
                let rows = runtime.block_on(world.sql(&format!("select * from {call}"), None)).unwrap();
                let (conversations, times) = found(&rows);
                prop_assert_eq!(&conversations, &expected(&asked, place, counts, &segments), "{}", call);
                let figure = if metric == AVERAGE { average(&times) } else { conversations.len() as i64 };
                prop_assert_eq!(&place.metrics[metric], &Value::from(figure), "{}", call);
            }
        }
    }
}

fn closed(account: &'static str, skill: i64, end_time: i64) -> Facts {
    let (user_type, outcome) = (UserType::Human, Outcome::Interactive);
    Facts { account, skill, end_time, user_type, outcome, in_queue: false, sample: Some(end_time % 1000) }
}

/// Conversations that end at the edges of the two intervals of 10 minutes before `NOW`, in the order of their numbers.
fn edges() -> World {
    let start = NOW - 10 * MINUTE_MS;
    let times = [start - 1, start, start + 5 * MINUTE_MS - 1, start + 5 * MINUTE_MS, NOW - 1, NOW];
    let mut facts: Vec<Facts> = times.into_iter().map(|end_time| closed("acme", 7, end_time)).collect();
    facts.push(closed("bolt", 777_777, NOW - 1));
    World::new(NOW, &segments(&facts))
}

async fn conversations(world: &World, account: Option<&str>, call: &str) -> Vec<String> {
    found(&world.sql(&format!("select * from {call}"), account).await.unwrap()).0
}

#[tokio::test]
async fn edges_are_those_of_the_report() {
    let world = edges();
    let start = "2018-01-18T08:41:55.679Z";
    for (arguments, expected) in [
        ("'acme', now(), 10", &["c-1", "c-2", "c-3", "c-4"][..]),
        ("'acme', now(), 10, 5", &["c-1", "c-2", "c-3", "c-4"]),
        (&format!("'acme', now(), 10, 5, '{start}'"), &["c-1", "c-2"]),
        (&format!("'acme', now(), 10, 5, timestamp '{start}'"), &["c-1", "c-2"]),
        (&format!("'acme', now(), 10, 5, timestamp '{start}' + interval '5 minutes'"), &["c-3", "c-4"]),
        (&format!("'acme', {NOW}, 10, 5, {}", NOW - 300_000), &["c-3", "c-4"]),
        ("'acme', now(), 10, null, null, 7", &["c-1", "c-2", "c-3", "c-4"]),
        ("'acme', now(), 10, null, null, '7,8', null, 'human'", &["c-1", "c-2", "c-3", "c-4"]),
        ("'acme', now(), 10, null, null, 'all', null, 'all'", &["c-1", "c-2", "c-3", "c-4"]),
        ("'acme', now(), 10, null, null, 8", &[]),
        ("'acme', now(), 10, null, null, null, null, 'bot'", &[]),
        ("'acme', now(), 10, null, null, null, 'interactiveSkillSegments'", &["c-1", "c-2", "c-3", "c-4"]),
        ("'acme', now(), 10, null, null, null, 'skillSegmentsWithNonResponsiveAgents'", &[]),
        ("'nobody', now(), 10", &[]),
        ("'bolt', now(), 10", &["c-6"]),
    ] {
        assert_eq!(
            conversations(&world, None, &format!("report_segments({arguments})")).await,
            expected,
            "{arguments}"
        );
    }
}

#[tokio::test]
async fn an_account_asks_for_its_own_alone() {
    let world = edges();
    let own = ["c-1", "c-2", "c-3", "c-4"];
    assert_eq!(conversations(&world, Some("acme"), "report_segments('acme', now(), 10)").await, own);
    assert_eq!(conversations(&world, Some("acme"), "report_segments(null, now(), 10)").await, own);
    let error = world.sql("select * from report_segments('bolt', now(), 10)", Some("acme")).await.unwrap_err();
    assert!(error.to_string().contains("report_segments: this session sees its own account only"), "{error}");
    let error = world.sql("select * from report_segments(null, now(), 10)", None).await.unwrap_err();
    assert!(error.to_string().contains("the first argument is an account"), "{error}");
}

#[tokio::test]
async fn a_wrong_call_is_told_what_is_allowed() {
    let world = edges();
    let all = METRICS.map(|(metric, _)| metric).join(", ");
    let starts = "interval_start=2018-01-18T08:41:55.680Z: an interval starts at 2018-01-18T08:41:55.679Z and every 5 \
                  minutes from there, the last one at 2018-01-18T08:46:55.679Z; null is the whole timeframe";
    for (arguments, expected) in [
        ("'acme', now()", "report_segments takes at least three arguments: report_segments(account, now, timeframe ["),
        ("'acme', now(), 10, 5, null, 7, null, null, 1", "report_segments takes at most 8 arguments: "),
        ("'acme', now(), 1441", "timeframe=1441: it is a whole number of minutes from 1 to 1440"),
        ("'acme', now(), 10, 3", "interval=3: it is a whole number of minutes, at least 5"),
        ("'acme', now(), 10, 5, '2018-01-18T08:41:55.680Z'", starts),
        ("'acme', now(), 10, 5, now()", "interval_start=2018-01-18T08:51:55.679Z: an interval starts at "),
        ("'acme', now(), 10, 5, -9223372036854775807", "interval_start=-9223372036854775807: an interval starts at "),
        ("'acme', now(), 10, 5, 'soon'", "report_segments: "),
        ("'acme', now(), 10, 5, true", "the fifth argument is an instant; it was true"),
        ("'acme', now(), 10, null, now()", "there are no intervals where no interval is given"),
        ("'acme', now(), 10, null, null, 'x'", "skillIds=x: it is all, or 64-bit whole numbers"),
        (
            "'acme', now(), 10, null, null, 7, 'total'",
            &format!("report_segments: metric=total: it is one of {all}; null is every segment"),
        ),
        ("'acme', now(), 10, null, null, 7, null, 'mixed'", "userType=mixed: it is human, bot or all"),
        ("'acme', end_time, 10", "report_segments: an argument is a value, and not "),
    ] {
        let statement = format!("select * from segments, report_segments({arguments})");
        let error = world.sql(&statement, None).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{arguments}: {error}");
    }
}

#[tokio::test]
async fn its_columns_are_those_of_the_table() {
    let world = edges();
    let columns =
        async |table: &str| world.session(None).describe(&format!("select * from {table}")).await.unwrap().schema;
    assert_eq!(columns("report_segments('acme', now(), 10)").await, columns("segments").await);
}

#[tokio::test]
async fn only_what_a_figure_can_be_made_of_is_read() {
    let hour = 60 * MINUTE_MS;
    let facts: Vec<Facts> =
        (1..=20).flat_map(|age| ["acme", "bolt"].map(|of| closed(of, 7, NOW - age * hour))).collect();
    let world = World::new(NOW, &segments(&facts));
    let call = format!("report_segments('acme', now(), 1440, 60, {})", NOW - 3 * hour);
    let plan = world.sql(&format!("explain select * from {call}"), None).await.unwrap();
    let plan = pretty_format_batches(&plan).unwrap().to_string();
    assert!(plan.contains("SegmentsScan: hours=1 of 20, rows=1,"), "{plan}");
    assert_eq!(conversations(&world, None, &call).await, ["c-4"]);
}
