import { beforeEach, expect, test, vi } from 'vitest';
import { post } from './client';
import { mayPrint } from './print';

vi.mock('./client', () => ({ post: vi.fn() }));
const asked = vi.mocked(post);
beforeEach(() => {
  asked.mockReset();
});

test('each purpose of the layers is told once, and of many layers all are asked for', async () => {
  asked.mockImplementation(async (_, body) => ({ layers: (body as { layers: string[] }).layers.map((layer) => ({ purpose: layer === 'own' ? null : '人口普查' })) }));
  const layers = ['own', ...Array.from({ length: 24 }, (_, i) => `layer-${i}`)];
  expect(await mayPrint(layers)).toEqual(['人口普查']);
  expect(asked.mock.calls.flatMap(([, body]) => (body as { layers: string[] }).layers)).toEqual(layers);
  expect(asked).toHaveBeenCalledTimes(2);
});

test('a refusal is thrown on, so that nothing is printed', async () => {
  asked.mockRejectedValue(new Error('403'));
  await expect(mayPrint(['looked-at'])).rejects.toThrow('403');
});
