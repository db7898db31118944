// Two people: one asks for a layer, the other sends it back, then gives less than was asked; later takes it away.
import { choose, holds, journey, open, person, url } from './lib.mjs';

const LAYER = 'fp-births';

async function properties(page) {
  const response = await page.context().request.get(`${url}/ogc/collections/${LAYER}/items?limit=1`);
  return response.ok() ? Object.keys((await response.json()).features[0].properties) : response.status();
}

await journey(async (as) => {
  const asker = await as(await person('user', 'transport'));
  const approver = await as(await person('approver', 'health'));
  holds('what is seen before', await properties(asker), 403);

  await open(asker, `/requests/new?layer=${LAYER}`);
  await asker.locator('#request-purpose').fill('核对应急避难场所需要的婴幼儿物资数量');
  await asker.getByRole('button', { name: '下一步' }).click();
  for (const index of [0, 1, 2]) await asker.locator('.fields .el-checkbox').nth(index).click();
  for (const _ of ['extent', 'rights', 'attachment']) await asker.getByRole('button', { name: '下一步' }).click();
  await asker.getByRole('button', { name: '下一步' }).click();
  await asker.getByRole('button', { name: '提交', exact: true }).last().click();
  await asker.waitForURL(/#\/requests\/mine\/.+/);
  const id = asker.url().split('/').at(-1);

  await open(approver, '/requests/inbox');
  await approver.getByRole('button', { name: /核对应急避难场所/ }).first().click();
  await approver.locator('#decision-note').fill('请写明使用人员的范围');
  await approver.getByRole('button', { name: '退回修改' }).click();
  await approver.getByText('请写明使用人员的范围').first().waitFor();

  await open(asker, `/requests/new/${id}`);
  await asker.getByText('这份申请被退回').waitFor();
  await asker.getByRole('button', { name: '用途' }).click();
  await asker.locator('#request-purpose').fill('核对应急避难场所需要的婴幼儿物资数量，由物资科两人使用');
  for (const _ of ['purpose', 'fields', 'extent', 'rights', 'attachment']) await asker.getByRole('button', { name: '下一步' }).click();
  await asker.getByRole('button', { name: '提交', exact: true }).last().click();
  await asker.waitForURL(/#\/requests\/mine\/.+/);

  await open(approver, `/requests/inbox/${id}`);
  await approver.locator('.decision .el-checkbox').nth(2).click();
  await approver.getByRole('button', { name: '按调整后批准' }).click();
  await approver.locator('.detail .om-tag', { hasText: '生效中' }).waitFor();

  await open(asker, '/requests/grants');
  await asker.locator('.grants .om-tag', { hasText: '生效中' }).first().waitFor();
  const seen = await properties(asker);
  holds('granted fields', Array.isArray(seen) && seen.length, 2);

  await open(approver, '/requests/grants?side=given');
  await approver.locator('.grants li', { hasText: '核对应急避难场所' }).getByRole('button', { name: '收回授权' }).click();
  await approver.locator('.el-message-box input').fill('演练结束');
  await approver.locator('.el-message-box').getByRole('button', { name: '收回授权' }).click();
  await approver.locator('.grants li', { hasText: '核对应急避难场所' }).waitFor({ state: 'detached' });
  holds('what is seen afterwards', await properties(asker), 403);
});
