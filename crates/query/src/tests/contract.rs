//! The two complete answers in the contract, from segments made for them. In the second example the averages contradict
//! each other, so the tests use others; every count is the contract's.

use super::world::{Facts, World, segments};
use skillscope_segment::{Outcome, UserType};

const MINUTE_MS: i64 = 60_000;

/// The second example's intervals start at these instants; the request was made an hour after the later one.
const EARLIER: i64 = 1_516_258_315_679;
const LATER: i64 = 1_516_261_915_679;
const NOW: i64 = LATER + 60 * MINUTE_MS;

/// How many segments of a skill end at an instant, by outcome, and the samples of the first of them that can have one.
struct Group {
    skill: i64,
    end_time: i64,
    abandoned: usize,
    in_queue: usize,
    non_responsive_consumer: usize,
    non_responsive_agent: usize,
    interactive: usize,
    samples: (usize, i64),
}

impl Group {
    fn facts(&self) -> Vec<Facts> {
        let fact = |outcome, in_queue| Facts {
            account: "acme",
            skill: self.skill,
            end_time: self.end_time,
            user_type: UserType::Human,
            outcome,
            in_queue,
            sample: None,
        };
        let mut facts = vec![fact(Outcome::Interactive, false); self.interactive];
        facts.extend(vec![fact(Outcome::NonResponsiveConsumer, false); self.non_responsive_consumer]);
        let (count, sample) = self.samples;
        facts.iter_mut().take(count).for_each(|fact| fact.sample = Some(sample));
        facts.extend(vec![fact(Outcome::Abandoned, true); self.in_queue]);
        facts.extend(vec![fact(Outcome::Abandoned, false); self.abandoned - self.in_queue]);
        facts.extend(vec![fact(Outcome::NonResponsiveAgent, false); self.non_responsive_agent]);
        facts
    }
}

/// The segments of both examples: the first one's counts are the sums of the second one's.
fn world(samples: [(usize, i64); 4]) -> World {
    let groups = [
        // From the first millisecond of an interval to its last one.
        Group {
            skill: 12,
            end_time: LATER,
            abandoned: 8,
            in_queue: 6,
            non_responsive_consumer: 11,
            non_responsive_agent: 4,
            interactive: 22,
            samples: samples[0],
        },
        Group {
            skill: 13,
            end_time: NOW - 1,
            abandoned: 6,
            in_queue: 4,
            non_responsive_consumer: 1,
            non_responsive_agent: 5,
            interactive: 28,
            samples: samples[1],
        },
        Group {
            skill: 12,
            end_time: EARLIER,
            abandoned: 13,
            in_queue: 11,
            non_responsive_consumer: 16,
            non_responsive_agent: 9,
            interactive: 12,
            samples: samples[2],
        },
        Group {
            skill: 13,
            end_time: LATER - 1,
            abandoned: 8,
            in_queue: 6,
            non_responsive_consumer: 3,
            non_responsive_agent: 7,
            interactive: 24,
            samples: samples[3],
        },
    ];
    let facts: Vec<Facts> = groups.iter().flat_map(Group::facts).collect();
    World::new(NOW, &segments(&facts))
}

/// A JSON text without the white space between its parts; none of the keys has any.
fn compact(json: &str) -> String {
    json.split_whitespace().collect()
}

fn metrics(counts: [i64; 7]) -> String {
    let [total, abandoned, in_queue, consumers, agents, interactive, average] = counts;
    compact(&format!(
        r#"{{
            "totalSkillConversationSegments": {total},
            "skillSegmentsAbandonedByConsumers": {abandoned},
            "skillSegmentsAbandonedByConsumersInQueue": {in_queue},
            "skillSegmentsWithNonResponsiveConsumers": {consumers},
            "skillSegmentsWithNonResponsiveAgents": {agents},
            "interactiveSkillSegments": {interactive},
            "avgTimetoFirstAgentMessageFromAgentAssignment": {average}
        }}"#
    ))
}

fn members(twelve: [i64; 7], thirteen: [i64; 7], total: [i64; 7]) -> String {
    let (twelve, thirteen, total) = (metrics(twelve), metrics(thirteen), metrics(total));
    format!(r#""skillsMetrics":{{"12":{twelve},"13":{thirteen}}},"metricsTotal":{total}"#)
}

#[tokio::test]
async fn the_example_without_interval_comes_out_key_for_key() {
    // Every sample is 28 ms, as every average of the example is.
    let world = world([(3, 28), (5, 28), (1, 28), (2, 28)]);
    let expected = format!(
        "{{{}}}",
        members([95, 21, 17, 27, 13, 34, 28], [82, 14, 10, 4, 12, 52, 28], [177, 35, 27, 31, 25, 86, 28])
    );
    let query = [("skillIds", "12,13"), ("timeframe", "180"), ("v", "1")];
    assert_eq!(world.json("acme", &query).await, expected);
}

/// The averages are those of samples chosen so that skill 12 has the contract's 40 and 25 with 28 in sum, and skill 13
/// its 30 and 35: 7·40 + 28·25 = 35·28, and 10·30 + 10·35 = 20·32.5, which is rounded up. The totals are (7·40 + 10·30)
/// ÷ 17 = 34.1, (28·25 + 10·35) ÷ 38 = 27.6 and (980 + 650) ÷ 55 = 29.6.
const SAMPLES: [(usize, i64); 4] = [(7, 40), (10, 30), (28, 25), (10, 35)];

fn expected_intervals() -> [String; 2] {
    let later = members([45, 8, 6, 11, 4, 22, 40], [40, 6, 4, 1, 5, 28, 30], [85, 14, 10, 12, 9, 50, 34]);
    let earlier = members([50, 13, 11, 16, 9, 12, 25], [42, 8, 6, 3, 7, 24, 35], [92, 21, 17, 19, 16, 36, 28]);
    [format!(r#"{{"timestamp":{LATER},{later}}}"#), format!(r#"{{"timestamp":{EARLIER},{earlier}}}"#)]
}

fn expected_summary() -> String {
    let summary = members([95, 21, 17, 27, 13, 34, 28], [82, 14, 10, 4, 12, 52, 33], [177, 35, 27, 31, 25, 86, 30]);
    format!("{{{summary}}}")
}

#[tokio::test]
async fn the_example_with_intervals_comes_out_key_for_key() {
    let [later, earlier] = expected_intervals();
    let summary = expected_summary();
    let expected = format!(r#"{{"metricsByIntervals":[{later},{earlier}],"timeframeSummary":{summary}}}"#);
    let query = [("skillIds", "12,13"), ("timeframe", "120"), ("interval", "60"), ("v", "1")];
    assert_eq!(world(SAMPLES).json("acme", &query).await, expected);
}

#[tokio::test]
async fn an_interval_without_segments_is_listed() {
    let [later, earlier] = expected_intervals();
    let summary = expected_summary();
    let zero = metrics([0; 7]);
    let start = EARLIER - 60 * MINUTE_MS;
    let empty = format!(r#"{{"timestamp":{start},"skillsMetrics":{{}},"metricsTotal":{zero}}}"#);
    let expected = format!(r#"{{"metricsByIntervals":[{later},{earlier},{empty}],"timeframeSummary":{summary}}}"#);
    let query = [("skillIds", "12,13"), ("timeframe", "180"), ("interval", "60"), ("v", "1")];
    assert_eq!(world(SAMPLES).json("acme", &query).await, expected);
}

#[tokio::test]
async fn no_data_is_an_empty_object_and_zero_totals() {
    let zero = metrics([0; 7]);
    let empty = format!(r#"{{"skillsMetrics":{{}},"metricsTotal":{zero}}}"#);
    let world = world(SAMPLES);
    let query = [("timeframe", "120"), ("v", "1")];
    for account in ["nobody", "", "no such/account", &"x".repeat(1000)] {
        assert_eq!(world.json(account, &query).await, empty, "{account:?}");
    }
    let other_skill = [("timeframe", "120"), ("v", "1"), ("skillIds", "99,-1")];
    assert_eq!(world.json("acme", &other_skill).await, empty);
}

#[tokio::test]
async fn the_instant_of_the_request_is_out_and_the_start_is_in() {
    let fact = |end_time| Facts {
        account: "acme",
        skill: 1,
        end_time,
        user_type: UserType::None,
        outcome: Outcome::Abandoned,
        in_queue: true,
        sample: None,
    };
    let start = NOW - 10 * MINUTE_MS;
    let facts = [start - 1, start, start + 5 * MINUTE_MS - 1, start + 5 * MINUTE_MS, NOW - 1, NOW].map(fact);
    let world = World::new(NOW, &segments(&facts));
    let report = world.report("acme", &[("timeframe", "10"), ("interval", "5"), ("v", "1")]).await;
    let totals: Vec<(i64, i64)> =
        report.intervals.unwrap().iter().map(|interval| (interval.timestamp, interval.metrics.total.total)).collect();
    assert_eq!(totals, [(start + 5 * MINUTE_MS, 2), (start, 2)]);
    assert_eq!(report.summary.total.total, 4);
}

#[tokio::test]
async fn an_interval_is_named_by_its_start_in_utc_milliseconds() {
    // 18 January 2018, 8:51:55 UTC; intervals start at 7:51:55 and 6:51:55.
    let now = 1_516_265_515_000;
    let world = World::new(now, &[]);
    let report = world.report("acme", &[("timeframe", "120"), ("interval", "60"), ("v", "1")]).await;
    let starts: Vec<i64> = report.intervals.unwrap().iter().map(|interval| interval.timestamp).collect();
    assert_eq!(starts, [1_516_261_915_000, 1_516_258_315_000]);
}
