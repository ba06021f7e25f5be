//! A second computation of the report, which shares nothing with the plan: a loop over rows.

use std::collections::BTreeMap;

use skillscope_segment::{Outcome, Segment, UserType};

/// The request in plain numbers; minutes are as in the request.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) account: &'static str,
    pub(super) now: i64,
    pub(super) timeframe: i64,
    pub(super) interval: Option<i64>,
    pub(super) skills: Option<Vec<i64>>,
    pub(super) user_type: Option<UserType>,
}

#[derive(Default, Clone)]
struct Tally {
    by_outcome: [i64; 4],
    in_queue: i64,
    samples: Vec<i64>,
}

impl Tally {
    fn count(&mut self, segment: &Segment<'_>) {
        let place = match segment.outcome {
            Outcome::Abandoned => 0,
            Outcome::NonResponsiveConsumer => 1,
            Outcome::NonResponsiveAgent => 2,
            Outcome::Interactive => 3,
        };
        self.by_outcome[place] += 1;
        self.in_queue += i64::from(segment.abandoned_in_queue);
        self.samples.extend(segment.time_to_first_agent_message_ms);
    }

    /// Half up: the whole part of the mean, and one more where what is left is a half or more.
    fn average(&self) -> i64 {
        let count = self.samples.len() as i64;
        let sum: i64 = self.samples.iter().sum();
        if count == 0 {
            return 0;
        }
        let floor = sum / count;
        if 2 * (sum - floor * count) >= count { floor + 1 } else { floor }
    }

    fn json(&self) -> serde_json::Value {
        let [abandoned, consumers, agents, interactive] = self.by_outcome;
        serde_json::json!({
            "totalSkillConversationSegments": abandoned + consumers + agents + interactive,
            "skillSegmentsAbandonedByConsumers": abandoned,
            "skillSegmentsAbandonedByConsumersInQueue": self.in_queue,
            "skillSegmentsWithNonResponsiveConsumers": consumers,
            "skillSegmentsWithNonResponsiveAgents": agents,
            "interactiveSkillSegments": interactive,
            "avgTimetoFirstAgentMessageFromAgentAssignment": self.average(),
        })
    }
}

#[derive(Default, Clone)]
struct Tallies {
    skills: BTreeMap<i64, Tally>,
    total: Tally,
}

impl Tallies {
    fn count(&mut self, segment: &Segment<'_>) {
        self.skills.entry(segment.skill_id).or_default().count(segment);
        self.total.count(segment);
    }

    fn json(&self) -> serde_json::Value {
        let skills: serde_json::Map<_, _> =
            self.skills.iter().map(|(skill, tally)| (skill.to_string(), tally.json())).collect();
        serde_json::json!({ "skillsMetrics": skills, "metricsTotal": self.total.json() })
    }
}

/// The report's body, with keys in no particular order.
pub(super) fn report(asked: &Asked, segments: &[Segment<'_>]) -> serde_json::Value {
    let start = asked.now - asked.timeframe * 60_000;
    let length = asked.interval.unwrap_or(asked.timeframe) * 60_000;
    let mut summary = Tallies::default();
    let mut intervals = vec![Tallies::default(); (asked.timeframe * 60_000 / length) as usize];
    for segment in segments {
        let wanted = segment.account_id == asked.account
            && segment.end_time >= start
            && segment.end_time < asked.now
            && asked.skills.as_ref().is_none_or(|skills| skills.contains(&segment.skill_id))
            && asked.user_type.is_none_or(|user_type| segment.user_type == user_type);
        if wanted {
            summary.count(segment);
            intervals[((segment.end_time - start) / length) as usize].count(segment);
        }
    }
    if asked.interval.is_none() {
        return summary.json();
    }
    let by_interval: Vec<_> = intervals
        .iter()
        .enumerate()
        .rev()
        .map(|(place, tallies)| {
            let mut json = tallies.json();
            json["timestamp"] = (start + place as i64 * length).into();
            json
        })
        .collect();
    serde_json::json!({ "metricsByIntervals": by_interval, "timeframeSummary": summary.json() })
}
