// The wall while the server goes and comes back. What it should do next, whoever started the script says in lines on
// standard input, and the script says in lines when it has seen it. Arguments: the server and the account.
import { createInterface } from 'node:readline';
import { assertNothing, openPage, withBrowser } from './browser.mjs';

const [server, account] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

await withBrowser(async (browser) => {
  // While the server is away, connections are refused, or what comes is that it starts.
  const { page, faults } = await openPage(browser, server, { expected: [0, 503] });
  await page.goto(`${server}/?account=${account}&timeframe=60`);
  const total = page.locator('.figure-value[data-metric=totalSkillConversationSegments]');
  await total.getByText('1', { exact: true }).waitFor();
  console.log('one');

  await lines.next();
  await page.locator('.heard[data-how=lost]').waitFor();
  if ((await total.textContent()) !== '1') throw new Error('what was heard last is no longer shown');
  console.log('lost');

  await lines.next();
  await total.getByText('2', { exact: true }).waitFor();
  await page.locator('.heard[data-how=push]').waitFor();
  assertNothing(faults, 'a restart');
  console.log('two');
});
