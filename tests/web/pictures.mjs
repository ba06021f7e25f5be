// Pictures of the console. Arguments: the server, whose clock stands still, and the folder for them.
import { openPage, withBrowser } from './browser.mjs';

const [server, folder] = process.argv.slice(2);
const account = 'demo';
const size = { width: 1920, height: 1080 };

await withBrowser(async (browser) => {
  await take('wall', { theme: 'light' }, `/?account=${account}&timeframe=240&interval=10`, (page) => page.locator('.wall[aria-busy=false] [data-skill]').first().waitFor());
  await take('past', { theme: 'dark' }, `/?view=past&account=${account}&timeframe=240&interval=10&at=2026-11-27T10:05:00Z`, (page) =>
    page.locator('.wall[aria-busy=false] [data-skill]').first().waitFor());
  await take('sql', { theme: 'light' }, `/?view=sql&account=${account}`, async (page) => {
    await page.getByRole('button', { name: /^What share of segments is answered/ }).or(page.locator('.sql-list button')).first().click();
    await page.getByRole('grid', { name: 'Answer' }).waitFor();
  });

  async function take(name, look, path, isThere) {
    const { page } = await openPage(browser, server, { ...size, ...look });
    await page.goto(server + path);
    await isThere(page);
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: `${folder}/${name}.png`, animations: 'disabled' });
    await page.context().close();
  }
});
