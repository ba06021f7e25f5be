// What the wall shows against what the endpoint answers, cell by cell, on a server whose clock stands still.
// Arguments: the server, the account, its instant in milliseconds, and the parameters of the report.
import { deepStrictEqual as equal } from 'node:assert';
import { answer, assertNothing, openPage, withBrowser } from './browser.mjs';
import { count, duration } from './written.mjs';

const [server, account, instant, parameters] = process.argv.slice(2);
const minutes = Number(new URLSearchParams(parameters).get('timeframe'));
const skillIds = new URLSearchParams(parameters).get('skillIds');

const FIRST = 'avgTimetoFirstAgentMessageFromAgentAssignment';
/** What the columns of the table of skills show. */
const COLUMNS = {
  'Ended': 'totalSkillConversationSegments',
  'Interactive': 'interactiveSkillSegments',
  'Consumer silent': 'skillSegmentsWithNonResponsiveConsumers',
  'Abandoned': 'skillSegmentsAbandonedByConsumers',
  'In the queue': 'skillSegmentsAbandonedByConsumersInQueue',
  'Agent silent': 'skillSegmentsWithNonResponsiveAgents',
  'To first message': FIRST,
};
const LARGE = ['totalSkillConversationSegments', 'skillSegmentsAbandonedByConsumers', 'skillSegmentsAbandonedByConsumersInQueue', FIRST];

/** A metric as it is written. Where no agent spoke, the report says 0 and the wall nothing. */
function written(metrics, metric) {
  if (metric !== FIRST) return count(metrics[metric]);
  const spoken = metrics.interactiveSkillSegments + metrics.skillSegmentsWithNonResponsiveConsumers;
  return spoken === 0 ? '–' : duration(metrics[FIRST]);
}

/** The large figures that the page shows, by their metrics. */
const figures = (page) => page.locator('.figure-value').evaluateAll((all) => Object.fromEntries(all.map((one) => [one.dataset.metric, one.textContent])));

/**
 * All rows of a table as they are read: the texts of the cells by the titles of their columns, and the skill of the row where it
 * is of one. Only those in sight are drawn, so that the table is gone through from its beginning to its end.
 */
async function rows(within, name) {
  const grid = within.getByRole('grid', { name });
  const total = Number(await grid.getAttribute('aria-rowcount')) - 1;
  const found = new Map();
  await grid.focus();
  await grid.press('Control+Home');
  while (found.size < total) {
    const last = found.size;
    // Rows are drawn after the table was scrolled.
    await grid.locator(`tbody tr[aria-rowindex="${last + 2}"]`).waitFor({ state: 'attached' });
    const drawn = await grid.evaluate((table) => {
      const text = (cell) => cell.textContent.replace(/\s*[▾▴]\s*$/, '').trim();
      const titles = [...table.querySelectorAll('thead th')].map(text);
      return [...table.querySelectorAll('tbody tr[aria-rowindex]')].map((row) => {
        const cells = Object.fromEntries([...row.cells].map((cell, at) => [titles[at], text(cell)]));
        return [row.getAttribute('aria-rowindex'), { ...cells, skill: row.querySelector('[data-skill]')?.dataset.skill }];
      });
    });
    for (const [index, row] of drawn) found.set(index, row);
    await grid.locator('tbody tr[aria-rowindex]').last().scrollIntoViewIfNeeded();
  }
  return [...found].sort(([one], [other]) => one - other).map(([, row]) => row);
}

/** Compares the figures of the timeframe, the skills, and the intervals, with a report. */
async function compare(page, report, names) {
  const whole = report.timeframeSummary ?? report;
  const large = await figures(page);
  for (const metric of LARGE) equal(large[metric], written(whole.metricsTotal, metric), metric);

  // Names come by a request of their own, and may come after the figures.
  const named = Object.keys(whole.skillsMetrics).find((skill) => skill in names);
  if (named !== undefined) await page.locator(`[data-skill="${named}"]`, { hasText: names[named] }).first().waitFor();
  const table = new Map((await rows(page, 'Skills')).map((row) => [row.skill, row]));
  for (const [skill, metrics] of Object.entries(whole.skillsMetrics)) {
    const row = table.get(skill) ?? {};
    equal(row['Skill'], names[skill] ?? skill, `the name of skill ${skill}`);
    for (const [title, metric] of Object.entries(COLUMNS)) equal(row[title], written(metrics, metric), `${title} of skill ${skill}`);
  }
  for (const [skill, row] of table) {
    // A skill that only has open conversations, or had segments before, is in the table and not in the report.
    if (whole.skillsMetrics[skill] === undefined) equal(row['Ended'], '0', `skill ${skill}`);
  }

  if (report.metricsByIntervals === undefined) return;
  await page.getByRole('region', { name: 'Segments by outcome' }).getByRole('button', { name: 'As a table' }).click();
  const dialog = page.getByRole('dialog', { name: 'Segments by outcome' });
  const told = await rows(dialog, 'Segments by outcome');
  // The report begins with the latest interval, and the chart with the first.
  const intervals = report.metricsByIntervals.toReversed();
  equal(told.length, intervals.length, 'as many intervals');
  intervals.forEach(({ metricsTotal }, at) => {
    equal(told[at]['Segments ended'], count(metricsTotal.totalSkillConversationSegments), `interval ${at}`);
    equal(told[at]['Interactive'], count(metricsTotal.interactiveSkillSegments), `interval ${at}`);
    equal(told[at]['Abandoned'], count(metricsTotal.skillSegmentsAbandonedByConsumers), `interval ${at}`);
    equal(told[at]['Consumer did not answer'], count(metricsTotal.skillSegmentsWithNonResponsiveConsumers), `interval ${at}`);
    equal(told[at]['Agent did not answer'], count(metricsTotal.skillSegmentsWithNonResponsiveAgents), `interval ${at}`);
  });
  await page.keyboard.press('Escape');
}

/** What is open, by skill, at this instant. */
async function compareNow(page, now) {
  const { metricsTotal: total, skillsMetrics } = now;
  const waits = total.waitingConversations > 0;
  await page.locator('.figure-value[data-metric=openConversations]', { hasNotText: '–' }).waitFor();
  const large = await figures(page);
  equal(large.waitingConversations, count(total.waitingConversations));
  equal(large.maxWaitTime, waits ? duration(total.maxWaitTime) : '–');
  equal(large.openConversations, count(total.openConversations));
  const table = await rows(page, 'Skills');
  for (const { skill, ...row } of table) {
    const { waitingConversations = 0, maxWaitTime = 0, openConversations = 0 } = skillsMetrics[skill] ?? {};
    equal(row['Waiting'], count(waitingConversations), `waiting in ${skill}`);
    equal(row['Open'], count(openConversations), `open in ${skill}`);
    equal(row['Longest wait'], maxWaitTime === 0 ? '–' : duration(maxWaitTime), `longest wait in ${skill}`);
  }
  for (const skill of Object.keys(skillsMetrics)) equal(table.some((row) => row.skill === skill), true, `skill ${skill} is there`);
}

await withBrowser(async (browser) => {
  const path = `/v1/accounts/${account}`;
  const names = (await answer(server, `${path}/names`)).skills;
  const { page, faults } = await openPage(browser, server);

  const report = await answer(server, `/operations/api/account/${account}/msgskillsegments?${parameters}&v=1`);
  const now = await answer(server, `${path}/now${skillIds === null ? '' : `?skillIds=${skillIds}`}`);
  await page.goto(`${server}/?account=${account}&${parameters}`);
  await page.locator('.wall[data-instant][aria-busy=false]').waitFor();
  await compareNow(page, now);
  await compare(page, report, names);

  // The change against the timeframe before is of the report of an earlier instant.
  const before = await answer(server, `${path}/report?at=${instant - minutes * 60_000}&${parameters}&v=1`);
  const earlier = (before.timeframeSummary ?? before).metricsTotal;
  const note = page.locator('.figure', { has: page.locator('[data-metric=totalSkillConversationSegments]') }).locator('.figure-note');
  await note.getByText(`${count(earlier.totalSkillConversationSegments)} before`).waitFor();

  // The same instant seen from afterwards, and the hour before.
  for (const at of [Number(instant), instant - 3_600_000]) {
    await page.goto(`${server}/?view=past&account=${account}&${parameters}&at=${new Date(at).toISOString()}`);
    await page.locator('.wall[data-live=false][data-instant][aria-busy=false]').waitFor();
    await compare(page, await answer(server, `${path}/report?at=${at}&${parameters}&v=1`), names);
  }
  assertNothing(faults, 'the wall');
});
