import { expect, test } from 'vitest';
import { actionOf, type Situation } from './keys';

const calm: Situation = { typing: false, placing: false, onMap: false, onControl: false, candidates: 3 };

test('the keys of reviewing', () => {
  const said = (key: string) => actionOf({ key }, calm);
  expect(said('j')).toEqual({ kind: 'move', by: 1 });
  expect(said('ArrowUp')).toEqual({ kind: 'move', by: -1 });
  expect([said('ArrowRight'), said('h')]).toEqual([{ kind: 'choose', by: 1 }, { kind: 'choose', by: -1 }]);
  expect(said('1')).toEqual({ kind: 'pick', at: 0 });
  expect(said('3')).toEqual({ kind: 'pick', at: 2 });
  expect(said('4')).toBeNull();
  expect([said('0'), said('x'), said('X')]).toEqual([{ kind: 'reject' }, { kind: 'reject' }, { kind: 'reject' }]);
  expect([said('p'), said('u'), said('n'), said('？'), said('２')]).toEqual([{ kind: 'place' }, { kind: 'undo' }, { kind: 'note' }, { kind: 'help' }, { kind: 'pick', at: 1 }]);
  expect(said('q')).toBeNull();
});

test('a box, the browser and an input method keep their keys', () => {
  expect(actionOf({ key: '1' }, { ...calm, typing: true })).toBeNull();
  expect(actionOf({ key: 'Escape' }, { ...calm, typing: true })).toEqual({ kind: 'leave' });
  expect(actionOf({ key: 'p', ctrlKey: true }, calm)).toBeNull();
  expect(actionOf({ key: 'j', isComposing: true }, calm)).toBeNull();
});

test('arrows move the map while it has the focus, digits still pick', () => {
  const map = { ...calm, onMap: true };
  expect(actionOf({ key: 'ArrowDown' }, map)).toBeNull();
  expect(actionOf({ key: 'Enter' }, map)).toBeNull();
  expect(actionOf({ key: 'j' }, map)).toEqual({ kind: 'move', by: 1 });
  expect(actionOf({ key: '2' }, map)).toEqual({ kind: 'pick', at: 1 });
});

test('Enter presses the button it is on, and accepts nothing where there is nothing', () => {
  expect(actionOf({ key: 'Enter' }, { ...calm, onControl: true })).toBeNull();
  expect(actionOf({ key: 'Enter' }, { ...calm, candidates: 0 })).toBeNull();
  expect(actionOf({ key: 'Enter' }, calm)).toEqual({ kind: 'accept' });
});
