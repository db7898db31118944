// What the journeys have in common: a browser, people of departments, and a page that may neither complain nor ask anybody else.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const WAIT = Number(process.env.JOURNEY_WAIT ?? 120_000);
export const url = process.env.JOURNEY_URL;
const credentials = JSON.parse(readFileSync(process.env.JOURNEY_CREDENTIALS, 'utf8'));
export const example = credentials.example;

/** Fails with what was found instead. */
export function holds(what, found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
}

async function call(cookie, method, path, body) {
  const response = await fetch(url + path, { method, headers: { 'content-type': 'application/json', origin: url, ...(cookie ? { cookie } : {}) }, body: body && JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return { cookie: response.headers.get('set-cookie')?.split(';')[0], body: text ? JSON.parse(text) : null };
}

/** Somebody new of a department, with a password of their own. */
export async function person(role, department) {
  const admin = await call(null, 'POST', '/api/v1/session', credentials.admin);
  const user = `${role.slice(0, 4)}.${department.slice(0, 6)}.${Math.random().toString(36).slice(2, 8)}`;
  const made = await call(admin.cookie, 'POST', '/api/v1/people', { login: user, name: user, role, department });
  const first = await call(null, 'POST', '/api/v1/session', { user, password: made.body.password });
  const password = `${randomUUID()}!`;
  await call(first.cookie, 'POST', '/api/v1/me/password', { old: made.body.password, new: password });
  return { user, password };
}

/** Walks with pages of signed-in people; each has its own cookies. The walk fails with the first thing a page complains of. */
export async function journey(walk) {
  const browser = await chromium.launch({
    executablePath: process.env.JOURNEY_CHROMIUM ?? '/usr/bin/chromium',
    // WebGL without a graphics card.
    args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  });
  const complaints = [];
  const pages = [];
  const as = async (who) => {
    const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: 'zh-CN' });
    context.setDefaultTimeout(WAIT);
    const signed = await context.request.post(`${url}/api/v1/session`, { data: who, headers: { origin: url } });
    if (!signed.ok()) throw new Error(`${who.user} is not let in: ${await signed.text()}`);
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => /^https?:/.test(request.url()) && !request.url().startsWith(`${url}/`) && complaints.push(`asked ${request.url()}`));
    page.on('response', (response) => response.status() >= 400 && complaints.push(`${response.status()} ${response.url()}`));
    pages.push(page);
    return page;
  };
  try {
    await walk(as);
    holds('complaints', complaints, []);
  } catch (problem) {
    for (const [index, page] of pages.entries()) console.error(`page ${index}: ${page.url()}\n${await page.innerText('body').catch(() => '')}`);
    console.error(complaints.join('\n'));
    throw problem;
  } finally {
    await browser.close();
  }
}

/** A screen of the portal, by its place behind the #; one that is there already is asked for anew. */
export function open(page, place) {
  const address = `${url}/#${place}`;
  return page.url() === address ? page.reload() : page.goto(address);
}

/** Chooses in a list that opens under a box, by the box's id or name. A list may close once more while the page still fills itself. */
export async function choose(page, box, text) {
  const opener = page.locator(box.startsWith('#') ? `.el-select:has(${box})` : `.el-select:has(input[aria-label="${box}"])`).first();
  const option = page.locator('.el-select-dropdown__item:visible', { hasText: text }).first();
  for (let tries = 1; ; tries += 1) {
    await opener.click();
    try {
      return await option.click({ timeout: 5_000 });
    } catch (problem) {
      if (tries === 10) throw problem;
    }
  }
}
