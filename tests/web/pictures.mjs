// Pictures of the console. Arguments: the server, whose clock stands still, and the folder for them.
import { openPage, withBrowser } from './browser.mjs';

const [server, folder] = process.argv.slice(2);
const account = 'demo';
const size = { width: 1920, height: 1080 };

const skills = ['Assistant', 'Billing', 'Orders', 'Sales', 'Technical help', 'Returns', 'Deliveries', 'Complaints'];
const named = await fetch(`${server}/v1/accounts/${account}/tables/skills`, {
  method: 'POST',
  headers: { 'content-type': 'text/csv' },
  body: ['skill_id,name', ...skills.map((name, at) => `${at + 1},${name}`)].join('\n'),
});
if (!named.ok) throw new Error(await named.text());

await withBrowser(async (browser) => {
  await take('wall', { theme: 'light' }, `/?account=${account}&timeframe=240&interval=10`, (page) => page.locator('.wall[aria-busy=false] [data-skill]', { hasText: skills[0] }).first().waitFor());
  await take('past', { theme: 'dark' }, `/?view=past&account=${account}&timeframe=240&interval=10&at=2026-11-27T10:05:00Z`, (page) =>
    page.locator('.wall[aria-busy=false] [data-skill]', { hasText: skills[0] }).first().waitFor());
  await take('sql', { theme: 'light' }, `/?view=sql&account=${account}`, async (page) => {
    await page.getByRole('button', { name: 'At what time of day does each channel have how much?' }).click();
    await page.getByRole('grid', { name: 'Answer' }).waitFor();
    await page.getByRole('button', { name: 'Chart' }).click();
    await page.getByRole('combobox', { name: 'Along' }).selectOption({ label: 'hour' });
    await page.getByRole('combobox', { name: 'A series for each' }).selectOption({ label: 'source' });
    await page.getByRole('checkbox', { name: 'consumer_messages' }).uncheck();
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
