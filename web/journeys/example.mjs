// The family-planning page: its six functions answer somebody who is signed in.
import { example, holds, journey, url } from './lib.mjs';

await journey(async (as) => {
  const page = await as(example);
  // 1 The map, 2 a theme with its legend, 3 its figures.
  await page.goto(`${url}/examples/family-planning/`);
  await page.locator('body[data-ready=true]').waitFor({ state: 'attached' });
  holds('themes', await page.locator('#theme option').count(), 9);
  await page.locator('#map canvas').waitFor();
  const title = (await page.locator('.onemap-legend').innerText()).slice(0, 400);
  await page.locator('#theme').selectOption('theme-checkups');
  await page.waitForFunction((before) => document.querySelector('.onemap-legend')?.innerText.slice(0, 400) !== before, title);
  await page.locator('#figures', { hasText: '市南区' }).waitFor();

  // 4 A click: what is here, and what is nearest.
  const map = await page.locator('#map canvas').boundingBox();
  await page.mouse.click(map.x + map.width / 2, map.y + map.height / 2);
  await page.locator('#answer', { hasText: '最近服务站' }).waitFor();

  // 6 An address moves the map.
  const found = await (await page.context().request.get(`${url}/ogc/collections/addresses/items?limit=1`)).json();
  const answer = page.waitForResponse((response) => response.url().includes('/address/search'));
  await page.locator('#find input').fill(found.features[0].properties.full_address);
  await page.locator('#find button').click();
  const { features } = await (await answer).json();
  holds('the address that was found', features[0].properties.label.includes(found.features[0].properties.road), true);

  // 5 A visit, drawn where the map is clicked, has its author and its text.
  page.on('dialog', (dialog) => dialog.accept('走访记录一'));
  await page.locator('#note:enabled').click();
  const kept = page.waitForResponse((response) => response.request().method() === 'POST' && response.url().includes('/ogc/collections/fp-visits/items'));
  await page.mouse.click(map.x + map.width / 2, map.y + map.height / 2);
  holds('the mark', (await kept).status(), 201);
});
