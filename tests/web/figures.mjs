// What the wall shows against what the endpoint answers, cell by cell, on a server whose clock stands still.
// Arguments: the server, the account, its instant in milliseconds, and the parameters of the report.
import { deepStrictEqual as equal } from 'node:assert';
import { answer, assertNothing, openPage, shown, withBrowser } from './browser.mjs';
import { count, duration } from './written.mjs';

const [server, account, instant, parameters] = process.argv.slice(2);
const minutes = Number(new URLSearchParams(parameters).get('timeframe'));
const skillIds = new URLSearchParams(parameters).get('skillIds');

const FIRST = 'avgTimetoFirstAgentMessageFromAgentAssignment';
const COUNTS = [
  'totalSkillConversationSegments', 'interactiveSkillSegments', 'skillSegmentsWithNonResponsiveConsumers', 'skillSegmentsAbandonedByConsumers',
  'skillSegmentsAbandonedByConsumersInQueue', 'skillSegmentsWithNonResponsiveAgents',
];
const LARGE = ['totalSkillConversationSegments', 'skillSegmentsAbandonedByConsumers', 'skillSegmentsAbandonedByConsumersInQueue', FIRST];

/** A metric as it is written. Where no agent spoke, the report says 0 and the wall nothing. */
function written(metrics, metric) {
  if (metric !== FIRST) return count(metrics[metric]);
  const spoken = metrics.interactiveSkillSegments + metrics.skillSegmentsWithNonResponsiveConsumers;
  return spoken === 0 ? '–' : duration(metrics[FIRST]);
}

/** The large figures that the page shows, by their metrics. */
const figures = (page) => page.locator('.figure-value').evaluateAll((all) => Object.fromEntries(all.map((one) => [one.dataset.metric, one.textContent])));

/** The rows of a table as they are read: the texts of the cells by the titles of their columns. A table that scrolls has those in sight. */
const rows = (page, name) => page.getByRole('grid', { name }).evaluate((grid) => {
  const text = (cell) => cell.textContent.replace(/ [▾▴]$/, '').trim();
  const titles = [...grid.querySelectorAll('thead th')].map(text);
  const rows = [...grid.querySelectorAll('tbody tr[aria-rowindex]')];
  return rows.map((row) => Object.fromEntries([...row.cells].map((cell, at) => [titles[at], text(cell)])));
});

/** All rows of the table of skills, by skill: it is scrolled from one end to the other. */
async function skills(page) {
  const found = {};
  const read = () => page.locator('.skills tbody tr[aria-rowindex]').evaluateAll((rows) => rows.map((row) => [
    row.querySelector('[data-skill]').dataset.skill,
    row.querySelector('[data-skill]').textContent,
    Object.fromEntries([...row.querySelectorAll('[data-metric]')].map((cell) => [cell.dataset.metric, cell.textContent])),
  ]));
  const total = Number(await page.getByRole('grid', { name: 'Skills' }).getAttribute('aria-rowcount')) - 1;
  await page.getByRole('grid', { name: 'Skills' }).focus();
  for (let seen = -1; Object.keys(found).length < total && seen < Object.keys(found).length;) {
    seen = Object.keys(found).length;
    for (const [skill, name, cells] of await read()) found[skill] = { name, cells };
    await page.keyboard.press('PageDown');
    await page.waitForFunction(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true)))));
  }
  equal(Object.keys(found).length, total, 'the table has as many rows as it says');
  return found;
}

/** Compares the figures of the timeframe, the skills, and the intervals, with a report. */
async function compare(page, report, names) {
  const whole = report.timeframeSummary ?? report;
  const large = await figures(page);
  for (const metric of LARGE) equal(large[metric], written(whole.metricsTotal, metric), metric);

  const table = await skills(page);
  for (const [skill, metrics] of Object.entries(whole.skillsMetrics)) {
    const row = table[skill];
    equal(row?.name, names[skill] ?? skill, `the name of skill ${skill}`);
    const expected = Object.fromEntries([...COUNTS, FIRST].map((metric) => [metric, written(metrics, metric)]));
    equal(row.cells, expected, `skill ${skill}`);
  }
  for (const [skill, { cells }] of Object.entries(table)) {
    // A skill that only has open conversations, or had segments before, is in the table and not in the report.
    if (whole.skillsMetrics[skill] === undefined) equal(cells.totalSkillConversationSegments, '0', `skill ${skill}`);
  }

  if (report.metricsByIntervals === undefined) return;
  await page.getByRole('region', { name: 'Segments by outcome' }).getByRole('button', { name: 'As a table' }).click();
  const dialog = page.getByRole('dialog', { name: 'Segments by outcome' });
  const told = await rows(dialog, 'Segments by outcome');
  // The report begins with the latest interval, and the chart with the first.
  const intervals = report.metricsByIntervals.toReversed();
  equal(told.length, intervals.length, 'intervals');
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
  await shown(page, () => document.querySelector('.figure-value[data-metric=openConversations]')?.textContent !== '–');
  const large = await figures(page);
  equal(large.waitingConversations, count(total.waitingConversations));
  equal(large.maxWaitTime, waits ? duration(total.maxWaitTime) : '–');
  equal(large.openConversations, count(total.openConversations));
  const told = await rows(page, 'Skills');
  const ids = await page.locator('.skills [data-skill]').evaluateAll((cells) => cells.map((cell) => cell.dataset.skill));
  ids.forEach((skill, at) => {
    const { waitingConversations = 0, maxWaitTime = 0, openConversations = 0 } = skillsMetrics[skill] ?? {};
    equal(told[at]['Waiting'], count(waitingConversations), `waiting in ${skill}`);
    equal(told[at]['Open'], count(openConversations), `open in ${skill}`);
    equal(told[at]['Longest wait'], maxWaitTime === 0 ? '–' : duration(maxWaitTime), `longest wait in ${skill}`);
  });
}

await withBrowser(async (browser) => {
  const path = `/v1/accounts/${account}`;
  const names = Object.fromEntries((await answer(server, `${path}/names`)).skills.map(({ id, name }) => [id, name]));
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
