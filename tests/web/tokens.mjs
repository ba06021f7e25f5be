// Who is let in: a token that is refused, one that opens everything, one that opens the report alone, and where a token is kept.
// Arguments: the server, an account, a token for everything, and one with the scope `report` for the account.
import { deepStrictEqual as equal } from 'node:assert';
import { assertNothing, barriers, openPage, withBrowser } from './browser.mjs';

const [server, account, all, report] = process.argv.slice(2);
const views = (page) => page.getByRole('navigation', { name: 'Views' }).getByRole('link').allTextContents();

async function signIn(page, token, keep = false) {
  await page.getByRole('textbox', { name: 'Token' }).or(page.getByLabel('Token')).first().fill(token);
  if (keep) await page.getByRole('checkbox', { name: /^Keep/ }).check();
  await page.getByRole('button', { name: 'Sign in' }).click();
}

await withBrowser(async (browser) => {
  const { page, faults } = await openPage(browser, server, { expected: [401] });
  await page.goto(`${server}/?account=${account}`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assertNothing(await barriers(page), 'signing in');
  await signIn(page, 'skillscope_never_made');
  await page.getByRole('alert').getByText(/not known/).waitFor();
  assertNothing(await barriers(page), 'a token that is refused');

  await signIn(page, all);
  await page.locator('.wall[data-instant]').waitFor();
  equal(await views(page), ['Wall', 'Past', 'SQL', 'System']);
  equal(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }])).then((kept) => kept.includes('skillscope_')), false);
  // A token in memory is gone with the page.
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();

  await signIn(page, all, true);
  await page.locator('.wall[data-instant]').waitFor();
  await page.reload();
  await page.locator('.wall[data-instant]').waitFor();
  equal(await page.evaluate((token) => JSON.stringify({ ...localStorage }).includes(token), all), false, 'not beyond the window');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  equal(await page.evaluate((token) => JSON.stringify({ ...sessionStorage }).includes(token), all), false);

  await signIn(page, report);
  await page.locator('.wall[data-instant]').waitFor();
  equal(await views(page), ['Wall', 'Past']);
  assertNothing(await barriers(page), 'a token for the report');
  assertNothing(faults, 'tokens');
});
