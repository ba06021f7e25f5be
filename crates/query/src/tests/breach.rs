//! Outcomes that do not add up to the total are counted as breaches.

use super::world::World;
use crate::{Breakdown, Interval, Metrics, Report};

/// A report with one interval, of one skill.
fn report(metrics: Metrics) -> Report {
    let mut breakdown = Breakdown::default();
    breakdown.push(7, metrics);
    Report { intervals: Some(vec![Interval { timestamp: 0, metrics: breakdown.clone() }]), summary: breakdown }
}

#[test]
fn outcomes_that_do_not_add_up_are_counted_in_every_object() {
    let world = World::new(0, &[]);
    let request = world.request("acme", &[("timeframe", "5"), ("interval", "5"), ("v", "1")]).unwrap();
    let sound = Metrics { total: 2, abandoned: 1, abandoned_in_queue: 1, interactive: 1, ..Metrics::default() };
    world.engine.check_outcomes(&report(sound), &request);
    assert_eq!(world.engine.breaches(), 0);
    // The skill and the total, in the interval and in the summary.
    world.engine.check_outcomes(&report(Metrics { total: 3, ..sound }), &request);
    assert_eq!(world.engine.breaches(), 4);
    world.engine.check_outcomes(&report(Metrics { abandoned_in_queue: 2, ..sound }), &request);
    assert_eq!(world.engine.breaches(), 8);
}
