// The report and what is open now, as the server answers them.

/** The metrics of a report, in the order in which they are told. */
export interface Metrics {
  totalSkillConversationSegments: number;
  skillSegmentsAbandonedByConsumers: number;
  skillSegmentsAbandonedByConsumersInQueue: number;
  skillSegmentsWithNonResponsiveConsumers: number;
  skillSegmentsWithNonResponsiveAgents: number;
  interactiveSkillSegments: number;
  avgTimetoFirstAgentMessageFromAgentAssignment: number;
}

export type Metric = keyof Metrics;

export interface Counted {
  skillsMetrics: Record<string, Metrics>;
  metricsTotal: Metrics;
}

export interface Report extends Partial<Counted> {
  metricsByIntervals?: (Counted & { timestamp: number })[];
  timeframeSummary?: Counted;
}

export interface OpenMetrics {
  openConversations: number;
  waitingConversations: number;
  assignedToHuman: number;
  assignedToBot: number;
  waitingForFirstAgentMessage: number;
  waitingForAgentReply: number;
  avgWaitTime: number;
  maxWaitTime: number;
  waitTime50thPercentile: number;
  waitTime90thPercentile: number;
}

export interface Now {
  time: number;
  skillsMetrics: Record<string, OpenMetrics>;
  metricsTotal: OpenMetrics;
}

/** The average time to the first message; null where no agent spoke, of which the report says 0. */
export function firstMessage(metrics: Metrics): number | null {
  const spoken = metrics.interactiveSkillSegments + metrics.skillSegmentsWithNonResponsiveConsumers;
  return spoken === 0 && metrics.avgTimetoFirstAgentMessageFromAgentAssignment === 0 ? null : metrics.avgTimetoFirstAgentMessageFromAgentAssignment;
}
