// Each view in both themes: it has something to show, there are no barriers, and the page keeps to its policy and its server.
// Arguments: the server, the account, and `full` or `empty`.
import { assertNothing, barriers, openPage, withBrowser } from './browser.mjs';

const [server, account, what] = process.argv.slice(2);

// By what it is known that a view has got what it asked for.
const views = {
  wall: async (page) => {
    await page.locator('.wall[data-instant][aria-busy=false] [data-metric=totalSkillConversationSegments]').first().waitFor();
    await page.locator('[data-metric=openConversations]', { hasNotText: '–' }).first().waitFor();
    if (what === 'full') await page.locator('[data-skill]').first().waitFor();
  },
  past: async (page) => {
    await page.locator('.wall[data-instant][aria-busy=false]').waitFor();
    await page.getByRole('slider', { name: 'Time of the day' }).waitFor();
  },
  sql: async (page) => {
    await page.getByRole('button', { name: /^Run/ }).click();
    await page.getByRole('grid', { name: 'Answer' }).waitFor();
    await page.getByRole('status').filter({ hasText: /rows? in / }).waitFor();
  },
  system: async (page) => {
    await page.getByRole('heading', { name: 'Accounts' }).waitFor();
    await page.getByText(/^As of /).waitFor();
    await page.getByRole('heading', { name: 'Memory' }).waitFor();
  },
};

await withBrowser(async (browser) => {
  for (const theme of ['light', 'dark']) {
    for (const [view, isThere] of Object.entries(views)) {
      const where = `${view}, ${theme}`;
      const { page, faults } = await openPage(browser, server, { theme });
      await page.goto(`${server}/?view=${view}&account=${account}&timeframe=240&interval=60`);
      try {
        await isThere(page);
      } catch (error) {
        throw new Error(`${where} does not show what it should: ${error}\n${faults.join('\n')}\n${await page.locator('body').innerText()}`);
      }
      assertNothing(await barriers(page), where);
      assertNothing(faults, where);
      await page.context().close();
    }
  }
});
