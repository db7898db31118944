// One of a department draws on the map; a colleague sees it, and somebody of another department does not.
import { choose, holds, journey, open, person, url } from './lib.mjs';

const NAME = `巡查 ${Math.random().toString(36).slice(2, 7)}`;
const TEXT = `井盖缺失，${NAME}`;

await journey(async (as) => {
  const author = await as(await person('publisher', 'urban-management'));
  await open(author, '/');
  await author.getByRole('tab', { name: '标注' }).click();
  await author.getByRole('button', { name: '新建标注图层' }).click();
  await author.locator('form.name input').fill(NAME);
  await author.locator('form.name button').click();
  await author.locator('.choice', { hasText: NAME }).waitFor();
  await author.getByRole('button', { name: '点', exact: true }).click();
  await author.locator('.tools .hint').waitFor();
  const map = await author.locator('.maplibregl-canvas').boundingBox();
  await author.mouse.click(map.x + map.width / 2, map.y + map.height / 2);
  await author.locator('form.editor textarea').fill(TEXT);
  await author.locator('form.editor').getByRole('button', { name: '保存' }).click();
  await author.locator('.list li', { hasText: TEXT }).waitFor();

  const colleague = await as(await person('user', 'urban-management'));
  await open(colleague, '/');
  await colleague.getByRole('tab', { name: '标注' }).click();
  await choose(colleague, '标注图层', NAME);
  await colleague.locator('.list li', { hasText: TEXT }).waitFor();
  holds('what the colleague may change of it', await colleague.locator('.list li', { hasText: TEXT }).locator('.om-icon').count(), 0);

  const stranger = await as(await person('user', 'education'));
  const known = await (await stranger.context().request.get(`${url}/api/v1/annotations`)).text();
  holds('what another department knows of it', known.includes(NAME), false);
});
