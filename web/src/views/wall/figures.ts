// The figures that the wall shows: what each is called, how it is written, and which are the four outcomes.
import { change, count, duration } from '../../app/format';
import { strings } from '../../app/strings';
import type { Pattern } from '../../parts/patterns';
import { firstMessage, type Metric, type Metrics } from './report';

export interface Outcome {
  metric: Metric;
  title: string;
  colour: string;
  pattern: Pattern;
}

/** Every segment has exactly one of them. In the order in which they are stacked, from below. */
export const outcomes: Outcome[] = [
  { metric: 'interactiveSkillSegments', title: strings.outcomes.interactive, colour: 'interactive', pattern: 'solid' },
  { metric: 'skillSegmentsWithNonResponsiveConsumers', title: strings.outcomes.nonResponsiveConsumer, colour: 'non-responsive-consumer', pattern: 'dots' },
  { metric: 'skillSegmentsAbandonedByConsumers', title: strings.outcomes.abandoned, colour: 'abandoned', pattern: 'stripes' },
  { metric: 'skillSegmentsWithNonResponsiveAgents', title: strings.outcomes.nonResponsiveAgent, colour: 'non-responsive-agent', pattern: 'cross' },
];

/** The large figures of the timeframe. */
export const large: { metric: Metric; title: string }[] = [
  { metric: 'totalSkillConversationSegments', title: strings.wall.total },
  { metric: 'skillSegmentsAbandonedByConsumers', title: strings.wall.abandoned },
  { metric: 'skillSegmentsAbandonedByConsumersInQueue', title: strings.wall.inQueue },
  { metric: 'avgTimetoFirstAgentMessageFromAgentAssignment', title: strings.wall.firstMessage },
];

/** What a metric is called where there is room for it. */
export function titleOf(metric: Metric): string {
  return large.find((one) => one.metric === metric)?.title ?? outcomes.find((one) => one.metric === metric)?.title ?? metric;
}

/** A metric's value; null where there is none. */
export function valueOf(metrics: Metrics, metric: Metric): number | null {
  return metric === 'avgTimetoFirstAgentMessageFromAgentAssignment' ? firstMessage(metrics) : metrics[metric];
}

export function writtenOf(metric: Metric): (value: number) => string {
  return metric === 'avgTimetoFirstAgentMessageFromAgentAssignment' ? duration : count;
}

/** A change as words; null where there was nothing to compare with. */
export function changeOf(now: number | null, before: number | null): string | null {
  return now === null || before === null || before === 0 ? null : change(now / before - 1);
}
