// Figures by division: how many nurseries each district has, on the map, in the list and in the table alike.
import { choose, holds, journey, open, person, url } from './lib.mjs';

await journey(async (as) => {
  const page = await as(await person('user', 'emergency'));
  await open(page, '/query');
  await choose(page, '选择图层', '社区卫生服务');
  await choose(page, '区划级别', '区市');
  const answer = page.waitForResponse((response) => response.url().startsWith(`${url}/api/v1/summary`));
  await page.getByRole('button', { name: '开始' }).click();
  const { features } = await (await answer).json();
  const total = features.reduce((all, { properties }) => all + properties.count, 0);
  if (!(total > 0)) throw new Error(`nothing was counted: ${JSON.stringify(features)}`);
  await page.locator('.legend .classes li').first().waitFor();
  const inClasses = (await page.locator('.legend .classes .count').allInnerTexts()).reduce((all, one) => all + Number(one), 0);
  holds('districts in the legend', inClasses, features.length);
  await page.getByRole('tab', { name: '数据表' }).click();
  const cells = await page.locator('table tbody tr').evaluateAll((lines) => lines.map((line) => Number(line.querySelector('td:last-child').textContent.replace(/,/g, ''))));
  holds('the sum of the table', cells.reduce((all, one) => all + one, 0), total);
});
