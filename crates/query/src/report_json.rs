//! A report as the contract's JSON, written straight into a buffer.

use crate::{Breakdown, Metrics, Report};

/// About what one skill's metrics take, to size the buffer once.
const BYTES_PER_SKILL: usize = 340;

impl Report {
    /// Appends the report to `out` as JSON: keys as in the contract's examples, metrics in the order of its table,
    /// skills in ascending order, the newest interval first.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let Some(intervals) = &self.intervals else {
            return write_breakdown(out, &self.summary);
        };
        let objects: usize = intervals.iter().map(|interval| interval.metrics.skills.len() + 1).sum();
        out.reserve((objects + self.summary.skills.len() + 1).saturating_mul(BYTES_PER_SKILL));
        out.extend_from_slice(br#"{"metricsByIntervals":["#);
        for (position, interval) in intervals.iter().enumerate() {
            out.extend_from_slice(if position == 0 { br#"{"timestamp":"# } else { br#",{"timestamp":"# });
            write_number(out, interval.timestamp);
            out.push(b',');
            write_members(out, &interval.metrics);
            out.push(b'}');
        }
        out.extend_from_slice(br#"],"timeframeSummary":"#);
        write_breakdown(out, &self.summary);
        out.push(b'}');
    }
}

fn write_breakdown(out: &mut Vec<u8>, breakdown: &Breakdown) {
    out.push(b'{');
    write_members(out, breakdown);
    out.push(b'}');
}

fn write_members(out: &mut Vec<u8>, breakdown: &Breakdown) {
    out.extend_from_slice(br#""skillsMetrics":{"#);
    for (position, (skill, metrics)) in breakdown.skills.iter().enumerate() {
        out.extend_from_slice(if position == 0 { b"\"" } else { b",\"" });
        write_number(out, *skill);
        out.extend_from_slice(b"\":");
        write_metrics(out, metrics);
    }
    out.extend_from_slice(br#"},"metricsTotal":"#);
    write_metrics(out, &breakdown.total);
}

fn write_metrics(out: &mut Vec<u8>, metrics: &Metrics) {
    let members: [(&[u8], i64); 7] = [
        (br#"{"totalSkillConversationSegments":"#, metrics.total),
        (br#","skillSegmentsAbandonedByConsumers":"#, metrics.abandoned),
        (br#","skillSegmentsAbandonedByConsumersInQueue":"#, metrics.abandoned_in_queue),
        (br#","skillSegmentsWithNonResponsiveConsumers":"#, metrics.non_responsive_consumer),
        (br#","skillSegmentsWithNonResponsiveAgents":"#, metrics.non_responsive_agent),
        (br#","interactiveSkillSegments":"#, metrics.interactive),
        (br#","avgTimetoFirstAgentMessageFromAgentAssignment":"#, metrics.average_time_to_first_agent_message()),
    ];
    for (key, value) in members {
        out.extend_from_slice(key);
        write_number(out, value);
    }
    out.push(b'}');
}

fn write_number(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}
