// A browser that watches what a page does beside what it shows, and how scripts look at the page.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.LIBRARIES}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

// Far longer than anything takes that is waited for.
const PATIENCE = 60_000;

/** Runs what a script does with a browser, and closes it. */
export async function withBrowser(act) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', chromiumSandbox: false });
  try {
    await act(browser);
  } finally {
    await browser.close();
  }
}

/**
 * A page that nothing else shares, in English and in UTC. `faults` has what must not happen: requests to others, violations
 * of the policy, errors that nobody caught. Answers with a status in `expected` are no faults.
 */
export async function openPage(browser, server, { theme = 'light', width = 1920, height = 1080, expected = [] } = {}) {
  const context = await browser.newContext({
    colorScheme: theme, locale: 'en-US', timezoneId: 'UTC', viewport: { width, height }, reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const faults = [];
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${server}/`) && !/^(data|blob):/.test(url)) faults.push(`it asks ${url}`);
  });
  page.on('console', (message) => {
    const told = message.text();
    // Chromium tells of each answer that is an error, of requests too that the page knows what to do about.
    const answer = /the server responded with a status of (\d+)/.exec(told)?.[1];
    const isExpected = answer === undefined ? expected.includes(0) && /net::ERR_/.test(told) : expected.includes(Number(answer));
    if (message.type() === 'error' && !isExpected) faults.push(`the console says: ${told}`);
  });
  page.on('pageerror', (error) => faults.push(`nobody caught ${error}`));
  await page.exposeFunction('tellViolation', (text) => faults.push(text));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (violation) => {
      window.tellViolation(`${violation.effectiveDirective} forbids ${violation.blockedURI} in ${violation.sourceFile}:${violation.lineNumber}`);
    });
  });
  return { page, faults };
}

/** Throws what must not be. */
export function assertNothing(faults, where) {
  if (faults.length > 0) throw new Error(`${where}: ${faults.join('\n')}`);
}

/** Where people with one sense or hand less cannot use the page, as far as a program can find that out. */
export async function barriers(page) {
  // Added beside the page's own scripts, which its policy does not concern.
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  await session.detach();
  const { violations } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 300)} ${node.failureSummary}`));
}

/** An answer of the server itself. */
export async function answer(server, path) {
  const response = await fetch(`${server}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
