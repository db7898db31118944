import { describe, expect, test } from 'vitest';
import { bareCode, bareName, distance, join, successors, type Zone } from './join';

const zone = (code: string, name: string, within: string[] = []): Zone => ({ id: code, code, name, within });
const ZONES = [
  zone('370202', '市南区', ['青岛市']),
  zone('370203', '市北区', ['青岛市']),
  zone('370281', '胶州市', ['青岛市']),
  zone('370202001', '香港中路街道', ['市南区']),
  zone('370203005', '中山路街道', ['市北区']),
  zone('370202006', '中山路街道', ['市南区']),
];

test('a name without its kind of place', () => {
  expect(['市南区', '市南', '胶州市', '香港中路街道办事处', '香港中路街道', '云霄路社区居委会', '即墨区 ', '东营'].map(bareName)).toEqual(['市南', '市南', '胶州', '香港中路', '香港中路', '云霄路', '即墨', '东营']);
  // Two signs at least stay, or 城区 would be nothing.
  expect(bareName('城区')).toBe('城区');
});

test('a code without the zeros that fill it up', () => {
  expect(['370202', '370202000000', '370202001000', '370202.0', '３７０２０２', '37', '3702', 'x1', '1'].map(bareCode)).toEqual(['370202', '370202', '370202001', '370202', '370202', '37', '3702', '', '']);
});

test('the distance of words', () => {
  expect([distance('市南', '市南', 2), distance('市南', '市北', 2), distance('', '市北', 2), distance('香港中路', '香港西路', 2), distance('甲乙丙丁', '戊己庚辛', 2)]).toEqual([0, 1, 2, 1, 3]);
});

describe('rows find their zones', () => {
  test('by code, of any length', () => {
    const made = join(['370202', '370203000000', '370202001000', '999999', ''], ZONES);
    expect(made.by).toBe('code');
    expect(made.zones).toEqual([0, 1, 3, null, null]);
    expect(made.unmatched.map((one) => one.reason)).toEqual(['unknown', 'empty']);
  });

  test('by a code of an earlier year, unless several took its place', () => {
    const former = new Map([['370205', ['370203']], ['370299', ['370202', '370203']], ['370203', ['370202']]]);
    expect(join(['370205', '370205005', '370203'], ZONES, null, new Map(), former).zones).toEqual([1, 4, 1]);
    const asked = join(['370299'], ZONES, null, new Map(), former);
    expect([asked.zones, asked.unmatched[0]]).toMatchObject([[null], { reason: 'ambiguous', suggestions: [0, 1] }]);
    // A city's code is none of its districts'.
    expect(successors('3702', former)).toEqual([]);
  });

  test('by name, with or without its kind', () => {
    const made = join(['市南', '市北区', '胶州', '香港中路街道办事处'], ZONES);
    expect(made.by).toBe('name');
    expect(made.zones).toEqual([0, 1, 2, 3]);
  });

  test('one name twice is told apart by what lies around it, or asked', () => {
    expect(join(['中山路', '中山路'], ZONES, ['市南', '市北区']).zones).toEqual([5, 4]);
    const asked = join(['中山路'], ZONES);
    expect(asked.zones).toEqual([null]);
    expect(asked.unmatched[0]).toMatchObject({ reason: 'ambiguous', suggestions: [4, 5] });
  });

  test('a slip is not guessed but suggested, and holds once decided', () => {
    const made = join(['香港中璐', '火星'], ZONES);
    expect(made.zones).toEqual([null, null]);
    expect(made.unmatched[0].suggestions).toEqual([3]);
    expect(made.unmatched[1].suggestions).toEqual([]);
    expect(join(['香港中璐', '火星'], ZONES, null, new Map([['香港中璐', 3]])).zones).toEqual([3, null]);
  });
});
