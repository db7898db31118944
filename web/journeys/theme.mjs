// A business user: a table of the department's becomes a map, and the map a layer that says the same.
import { choose, holds, journey, open, person } from './lib.mjs';

const TABLE = `区划代码,家庭数,主要类型
370202,520,公寓
370203,980,公寓
370205,60,平房
370213,640,公寓
370212,470,别墅
370211,1810,平房
370214,890,公寓
370281,700,平房
370283,800,平房
370285,300,平房
999999,7,平房
`;

const rows = (page) => page.locator('.legend .classes li').allInnerTexts().then((all) => all.map((one) => one.replace(/\s+/g, ' ')));

await journey(async (as) => {
  const page = await as(await person('publisher', 'health'));
  let sent = 0;
  page.on('request', (request) => request.method() !== 'GET' && (sent += 1));
  await open(page, '/theme/new');
  await page.locator('input[type=file]').setInputFiles({ name: '家庭.csv', mimeType: 'text/csv', buffer: Buffer.from(TABLE) });
  // 370205 is a code of earlier years; 999999 was never one.
  await page.getByText('11 行中 10 行找到了区划').waitFor();
  await page.locator('.legend .classes li').first().waitFor();
  const made = await rows(page);
  const counted = made.map((one) => Number(one.split(' ').at(-1)));
  holds('divisions in the legend', counted.reduce((all, one) => all + one, 0), 10);
  holds('what left the browser', sent, 0);
  await page.getByRole('button', { name: '保存为专题图层' }).click();
  await page.getByRole('button', { name: '保存', exact: true }).click();
  await page.waitForURL(/#\/theme\/theme-/);
  await page.locator('.legend .classes li').first().waitFor();
  holds('the legend of the layer', await rows(page), made);
  // 市北区 has its own families and those of 四方区, which became a part of it.
  await page.getByRole('button', { name: '市北区 1,040' }).waitFor();

  await open(page, '/theme/new');
  await page.locator('input[type=file]').setInputFiles({ name: '家庭.csv', mimeType: 'text/csv', buffer: Buffer.from(TABLE) });
  await page.getByText('11 行中 10 行找到了区划').waitFor();
  await choose(page, '统计方法', '最常见的取值');
  await choose(page, '哪一列', '主要类型');
  await page.locator('.legend').getByText('公寓').waitFor();
  await page.locator('.legend').getByText('别墅').waitFor();
});
