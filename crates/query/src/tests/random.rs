//! Random requests over random segments: each report equals the one of the oracle.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use skillscope_segment::{Outcome, UserType};

use super::oracle::{self, Asked};
use super::world::{Facts, World, json, segments};

/// The instant of the requests: not a round one.
pub(super) const NOW: i64 = 1_516_265_515_679;

const SKILLS: [i64; 5] = [-1, 0, 7, 12, i64::MAX];

pub(super) fn any_facts() -> impl Strategy<Value = Facts> {
    // Mostly within the last hours, some at the edges of intervals and some at one and the same instant.
    let age = prop_oneof![
        4 => -1_000_i64..90_000_000,
        2 => (0_i64..=300).prop_map(|intervals| intervals * 300_000),
        1 => Just(1),
    ];
    let words = (select(UserType::ALL), select(Outcome::ALL));
    (select(vec!["acme", "bolt"]), select(SKILLS.to_vec()), age, words, any::<bool>(), option::of(0..100_000_i64))
        .prop_map(|(account, skill, age, (user_type, outcome), in_queue, sample)| Facts {
            account,
            skill,
            end_time: NOW - age,
            user_type,
            outcome,
            in_queue,
            sample,
        })
}

pub(super) fn any_request() -> impl Strategy<Value = Asked> {
    let timeframe = prop_oneof![1_i64..=1440, select(vec![5, 60, 120, 180, 720, 1440])];
    let skills = option::of(vec(select(SKILLS.to_vec()), 1..4));
    (
        timeframe,
        any::<prop::sample::Index>(),
        any::<bool>(),
        skills,
        select(vec![None, Some(UserType::Human), Some(UserType::Bot)]),
    )
        .prop_map(|(timeframe, divisor, by_interval, skills, user_type)| {
            let divisors: Vec<i64> = (5..=timeframe).filter(|minutes| timeframe % minutes == 0).collect();
            let interval =
                if by_interval && !divisors.is_empty() { Some(divisors[divisor.index(divisors.len())]) } else { None };
            Asked { account: "acme", now: NOW, timeframe, interval, skills, user_type }
        })
}

pub(super) fn parameters(asked: &Asked) -> Vec<(&'static str, String)> {
    let mut parameters = vec![("v", "1".to_owned()), ("timeframe", asked.timeframe.to_string())];
    parameters.extend(asked.interval.map(|minutes| ("interval", minutes.to_string())));
    parameters.extend(asked.user_type.map(|user_type| ("userType", user_type.as_str().to_owned())));
    parameters.extend(asked.skills.as_ref().map(|skills| {
        let texts: Vec<String> = skills.iter().map(i64::to_string).collect();
        ("skillIds", texts.join(","))
    }));
    parameters
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_report_equals_a_loop_over_the_rows(
        facts in vec(any_facts(), 0..120),
        requests in vec(any_request(), 1..6),
        (hot_hours, archived) in (select(vec![0, 1, 5, 26]), select(vec![0, 0, 40, 120])),
    ) {
        let segments = segments(&facts);
        // Rows are in memory, in files, in both, or still in the journal.
        let world = World::with_hot_hours(NOW, hot_hours, archived, &segments);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for asked in &requests {
            let parameters = parameters(asked);
            let query: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let report = runtime.block_on(world.report(asked.account, &query));
            prop_assert!(report.all_metrics().all(|metrics| metrics.outcomes_add_up()));
            let body: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
            prop_assert_eq!(body, oracle::report(asked, &segments), "{:?}", asked);
        }
        prop_assert_eq!(world.engine.breaches(), 0);
    }
}
