// What goes wrong is told where it happens: the server refuses, the server is busy, the network is slow.
// Arguments: the server, and an account.
import { assertNothing, barriers, openPage, withBrowser } from './browser.mjs';

const [server, account] = process.argv.slice(2);
const REPORT = '**/msgskillsegments?*';

await withBrowser(async (browser) => {
  await wrongStatement(browser);
  await wrongAccount(browser);
  await busyServer(browser);
  await noStreams(browser);
  await slowNetwork(browser);
});

async function wrongStatement(browser) {
  const { page, faults } = await openPage(browser, server, { expected: [400] });
  await page.goto(`${server}/?view=sql&account=${account}&query=${encodeURIComponent('select nothing_like_this from segments')}`);
  await page.getByRole('button', { name: /^Run/ }).click();
  await page.getByRole('alert').getByText('nothing_like_this').waitFor();
  assertNothing(await barriers(page), 'a wrong statement');
  assertNothing(faults, 'a wrong statement');
  await page.context().close();
}

async function wrongAccount(browser) {
  const { page, faults } = await openPage(browser, server, { expected: [400] });
  await page.goto(`${server}/?account=${encodeURIComponent('no such account!')}`);
  await page.getByRole('alert').first().waitFor();
  assertNothing(await barriers(page), 'a wrong account');
  assertNothing(faults, 'a wrong account');
  await page.context().close();
}

/** The server has no room for the first requests, and then it has. */
async function busyServer(browser) {
  const { page, faults } = await openPage(browser, server, { expected: [503] });
  let refusals = 2;
  const problem = { type: 'urn:skillscope:problem:unavailable', title: 'Not available now', status: 503, detail: 'too many reports are asked for' };
  await page.route(REPORT, (route) => {
    if (refusals === 0) return route.continue();
    refusals -= 1;
    return route.fulfill({ status: 503, contentType: 'application/problem+json', headers: { 'retry-after': '1' }, body: JSON.stringify(problem) });
  });
  await page.goto(`${server}/?account=${account}`);
  await page.getByText('too many reports are asked for').waitFor();
  await page.locator('.heard[data-how=push], .heard[data-how=polling]').waitFor();
  await page.getByText('too many reports are asked for').waitFor({ state: 'detached' });
  assertNothing(faults, 'a busy server');
  await page.context().close();
}

/** Somebody on the way lets no stream through. */
async function noStreams(browser) {
  const { page, faults } = await openPage(browser, server, { expected: [406] });
  const problem = { type: 'urn:skillscope:problem:not-acceptable', title: 'Not acceptable', status: 406, detail: 'no streams here' };
  await page.route(REPORT, (route) => {
    const isStream = route.request().headers()['accept']?.includes('text/event-stream');
    return isStream ? route.fulfill({ status: 406, contentType: 'application/problem+json', body: JSON.stringify(problem) }) : route.continue();
  });
  await page.goto(`${server}/?account=${account}`);
  await page.locator('.heard[data-how=polling]').waitFor();
  await page.locator('.wall[data-instant]').waitFor();
  assertNothing(faults, 'no streams');
  await page.context().close();
}

/** As much as a telephone has at the edge of a town: 50 kB a second, and 300 ms there and back. */
async function slowNetwork(browser) {
  const { page, faults } = await openPage(browser, server, { width: 390, height: 844 });
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 300, downloadThroughput: 50_000, uploadThroughput: 50_000 });
  await page.goto(`${server}/?account=${account}`);
  await page.locator('.wall[data-instant][aria-busy=false]').waitFor();
  assertNothing(await barriers(page), 'a slow network');
  assertNothing(faults, 'a slow network');
  await page.context().close();
}
