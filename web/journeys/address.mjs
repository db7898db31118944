// A table with one address three times: it is matched, and what somebody says of one of the three holds for the others, until it is undone.
import { holds, journey, open, person, url } from './lib.mjs';

await journey(async (as) => {
  const page = await as(await person('user', 'health'));
  const found = await (await page.context().request.get(`${url}/ogc/collections/addresses/items?limit=1`)).json();
  const there = found.features[0].properties.full_address;
  const nowhere = there.replace(/\d+号.*$/, '99999号');
  await open(page, '/address/batch');
  const table = ['编号,住址', `1,${nowhere}`, `2,${there}`, `3,${nowhere}`, `4,${nowhere} `].join('\n');
  await page.locator('input[type=file]').setInputFiles({ name: '住户.csv', mimeType: 'text/csv', buffer: Buffer.from(table) });
  await page.getByRole('button', { name: '开始匹配' }).click();
  await page.getByRole('button', { name: '逐条核查 3 行' }).click();

  await page.locator('h2', { hasText: nowhere }).waitFor();
  const told = page.waitForResponse((response) => response.url().endsWith('/rows/1/decision'));
  await page.getByRole('button', { name: '都不对' }).click();
  holds('rows that went with the first', (await (await told).json()).also, { count: 2, rows: [3, 4] });
  await page.getByText('地址相同的另外 2 行已一并核查').waitFor();
  await page.getByText('本次已核查 3 行').waitFor();

  const undone = page.waitForResponse((response) => response.url().endsWith('/rows/1/decision'));
  await page.keyboard.press('u');
  holds('rows that came back with it', (await (await undone).json()).also, { count: 2, rows: [3, 4] });
  await page.getByText('还剩 3 行').waitFor();
});
