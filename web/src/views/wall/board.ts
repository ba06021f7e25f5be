// What the wall shows of a report. A report of many skills and intervals is megabytes: only this much of it is kept.
import type { Counted, Metrics, Report } from './report';

export interface Board {
  /** The instant at which the timeframe ends, in milliseconds since the epoch. */
  instant: number;
  total: Metrics;
  skills: Record<string, Metrics>;
  /** The oldest first. */
  intervals: { start: number; metrics: Metrics }[];
  /** Of each skill, the segments that ended in each interval, or in several together where there are more than a small line can show. */
  trends: Map<string, Uint32Array>;
}

const NOTHING: Metrics = {
  totalSkillConversationSegments: 0,
  skillSegmentsAbandonedByConsumers: 0,
  skillSegmentsAbandonedByConsumersInQueue: 0,
  skillSegmentsWithNonResponsiveConsumers: 0,
  skillSegmentsWithNonResponsiveAgents: 0,
  interactiveSkillSegments: 0,
  avgTimetoFirstAgentMessageFromAgentAssignment: 0,
};

/** The whole timeframe of a report, in intervals or not. */
export function summaryOf(report: Report): Counted {
  return report.timeframeSummary ?? { skillsMetrics: report.skillsMetrics ?? {}, metricsTotal: report.metricsTotal ?? NOTHING };
}

/** `interval` is in minutes; `instant` is the report's own where it does not follow from its intervals. */
export function boardOf(report: Report, interval: number | null, instant: number | null): Board {
  const { skillsMetrics: skills, metricsTotal: total } = summaryOf(report);
  const parts = (report.metricsByIntervals ?? []).toReversed();
  const trends = new Map<string, Uint32Array>();
  const together = togetherOf(parts.length);
  for (const skill of Object.keys(skills)) trends.set(skill, new Uint32Array(parts.length / together));
  parts.forEach((part, at) => {
    for (const skill in part.skillsMetrics) {
      const trend = trends.get(skill);
      const point = Math.floor(at / together);
      if (trend !== undefined) trend[point] = (trend[point] ?? 0) + (part.skillsMetrics[skill]?.totalSkillConversationSegments ?? 0);
    }
  });
  const newest = parts[parts.length - 1];
  return {
    // Intervals are cut from the instant of the request: the newest ends at it.
    instant: newest !== undefined && interval !== null ? newest.timestamp + interval * 60_000 : (instant ?? Date.now()),
    total,
    skills,
    intervals: parts.map((part) => ({ start: part.timestamp, metrics: part.metricsTotal })),
    trends,
  };
}

// The points of a small line are as many intervals each: a last one of fewer would look like a fall.
function togetherOf(intervals: number): number {
  for (let together = Math.ceil(intervals / MOST_POINTS); together <= intervals / FEWEST_POINTS; together += 1) {
    if (intervals % together === 0) return together;
  }
  return 1;
}

const MOST_POINTS = 48;
const FEWEST_POINTS = 12;
