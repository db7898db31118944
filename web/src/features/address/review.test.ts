import { effectScope } from 'vue';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as api from '@/api/addressJobs';
import { pickOf } from './queue';
import { useReview } from './review';

vi.mock('@/api/addressJobs', async (original) => ({ ...(await original<typeof api>()), rows: vi.fn(), decide: vi.fn() }));

const door = { source: 'doors', feature: 7, label: '漓江路193号', lon: 119.96, lat: 36.78 };
const row = (number: number) => api.rowOf({ row: number, text: `${number}号`, band: 'review', candidates: [door] });
const settled = () => new Promise((done) => setTimeout(done, 0));
const scope = effectScope();

/** A server of so many rows, in pages of 50, that remembers what it was told. */
function serve(count: number): { told: [number, string, string | undefined][] } {
  const told: [number, string, string | undefined][] = [];
  vi.mocked(api.rows).mockImplementation(async (_id, ask) => {
    const from = Number(ask.after ?? 0);
    const rows = Array.from({ length: Math.min(ask.limit, count - from) }, (_, index) => row(from + index + 1));
    return { rows, next: from + ask.limit < count ? String(from + ask.limit) : null };
  });
  vi.mocked(api.decide).mockImplementation(async (_id, number, wish, note) => {
    told.push([number, wish.kind, note]);
    const decision = wish.kind === 'undo' ? null : { kind: wish.kind, by: '李娜', at: '2026-11-24T08:00:00Z', note, label: door.label };
    return api.decidedOf({ ...row(number), candidates: [], decision });
  });
  return { told };
}

const begin = () => scope.run(() => useReview('job', { band: 'review', decided: 'open', q: '' })) as ReturnType<typeof useReview>;

beforeEach(() => vi.clearAllMocks());
afterEach(() => vi.restoreAllMocks());

test('a decision shows at once, leads on, and keeps its candidates when the answer has none', async () => {
  const { told } = serve(3);
  const review = begin();
  await review.load();
  const [first] = review.rows.value[0].candidates;
  review.decide(pickOf(first), '电话核实', first);
  expect(review.rows.value[0].decision).toMatchObject({ kind: 'pick', by: '', label: '漓江路193号' });
  expect([review.at.value, review.made.value, review.saving.value]).toEqual([1, 1, 1]);
  await settled();
  expect(told).toEqual([[1, 'pick', '电话核实']]);
  expect(review.rows.value[0].decision?.by).toBe('李娜');
  expect(review.rows.value[0].candidates).toHaveLength(1);
  expect(review.saving.value).toBe(0);
});

test('rows of the same text go with a decision, and come back with it', async () => {
  serve(5);
  const review = begin();
  await review.load();
  const told: string[] = [];
  vi.mocked(api.decide).mockImplementation(async (_id, number, wish) => {
    told.push(`${number} ${wish.kind}`);
    const decision = wish.kind === 'undo' ? null : { kind: wish.kind, by: '李娜', at: '2026-11-24T08:00:00Z' };
    return api.decidedOf({ ...row(number), decision, also: { count: 3, rows: [2, 4, 900] } });
  });
  review.decide({ kind: 'reject' }, '');
  await settled();
  expect(review.rows.value.map((one) => one.decision?.follows)).toEqual([null, 1, undefined, 1, undefined]);
  expect([review.made.value, review.along.value]).toEqual([4, { count: 3 }]);
  // It had led on to the second row, which has nothing left to say.
  expect(review.at.value).toBe(2);
  review.goTo(3);
  review.undo();
  await settled();
  expect([told, review.at.value]).toEqual([['1 reject', '1 undo'], 0]);
  expect(review.rows.value.every((one) => one.decision === null)).toBe(true);
  expect([review.made.value, review.along.value]).toEqual([0, null]);
});

test('undo goes back over the decisions in turn, and says when there is none', async () => {
  const { told } = serve(3);
  const review = begin();
  await review.load();
  review.decide({ kind: 'reject' }, '');
  review.decide({ kind: 'place', lon: 1, lat: 2 }, '');
  await settled();
  expect(review.undo()).toBe(true);
  expect([review.at.value, review.rows.value[1].decision, review.made.value]).toEqual([1, null, 1]);
  expect(review.undo()).toBe(true);
  expect(review.at.value).toBe(0);
  expect(review.undo()).toBe(false);
  await settled();
  expect(told.map(([number, kind]) => `${number} ${kind}`)).toEqual(['1 reject', '2 place', '2 undo', '1 undo']);
  expect(review.rows.value.every((one) => one.decision === null)).toBe(true);
});

test('what the server refuses is put back and can be gone to', async () => {
  serve(3);
  vi.mocked(api.decide).mockRejectedValueOnce(new Error('no'));
  const review = begin();
  await review.load();
  review.decide({ kind: 'reject' }, '');
  await settled();
  expect([review.rows.value[0].decision, review.made.value, review.refused.value?.row]).toEqual([null, 0, 1]);
  expect(review.at.value).toBe(1);
  review.back();
  expect([review.at.value, review.refused.value]).toEqual([0, null]);
});

test('a hasty second thought on one row wins, though the first answer comes after it', async () => {
  const { told } = serve(1);
  const review = begin();
  await review.load();
  review.decide({ kind: 'reject' }, '');
  expect(review.undo()).toBe(true);
  await settled();
  await settled();
  expect(told.map(([, kind]) => kind)).toEqual(['reject', 'undo']);
  expect([review.rows.value[0].decision, review.made.value, review.done.value]).toEqual([null, 0, false]);
});

test('the next page is fetched before the end is reached, and all done is said only at the very end', async () => {
  serve(60);
  const review = begin();
  await review.load();
  review.goTo(37);
  expect(api.rows).toHaveBeenCalledTimes(1);
  review.goTo(38);
  await settled();
  expect([review.rows.value.length, review.next.value]).toEqual([60, null]);
  review.goTo(0);
  for (let index = 0; index < 60; index++) {
    expect(review.done.value).toBe(false);
    review.decide({ kind: 'reject' }, '');
    await settled();
  }
  expect(review.done.value).toBe(true);
});
