import { describe, expect, test } from 'vitest';
import type { Layer } from '@/api/types';
import { decode, encode } from './mapState';
import { grouped, matches } from './search';

const layer = (id: string, zh: string, en: string, more: Partial<Layer> = {}): Layer => ({
  id,
  title: { zh, en },
  department: 'civil-affairs',
  theme: 'people',
  share_class: 'unconditional',
  anonymous: false,
  geometry: 'Point',
  access: 'read',
  feature_count: 1,
  bbox: null,
  revision: 1,
  updated: null,
  synthetic: false,
  ...more,
});

describe('the link', () => {
  test('holds what the map shows', () => {
    const state = {
      camera: { lon: 120.38264, lat: 36.06711, zoom: 11.25 },
      active: [
        { id: 'civil-affairs-communities', opacity: 0.35 },
        { id: 'roads_2', opacity: 1 },
      ],
      place: { lon: 120.1, lat: 36.2 },
      swipe: { left: 'roads_2', right: 'civil-affairs-communities', divider: 0.35 },
      time: { layer: 'roads_2', field: '建成*日期', at: '2024-03', until: true },
      measure: { kind: 'line' as const, at: [[120.1, 36.2], [120.2, 36.25]] as [number, number][] },
    };
    expect(decode(encode(state))).toEqual(state);
    expect(encode(state).l).toBe('civil-affairs-communities*35,roads_2');
  });

  test('is read as far as it makes sense', () => {
    const read = decode({ c: '999,36,11', l: 'a*250,a,<b>,,c*x', p: 'here' });
    expect(read).toEqual({ camera: null, active: [{ id: 'a', opacity: 1 }, { id: 'c', opacity: 1 }], place: null, swipe: null, time: null, measure: null });
    expect(decode({ s: 'a*a', t: 'a*', m: 'area*1,2,3,4' })).toMatchObject({ swipe: null, time: null, measure: null });
    expect(decode({ s: '%E0*b', t: 'x', m: 'line*1,2,3' })).toMatchObject({ swipe: null, time: null, measure: null });
    expect(decode({ c: ['1,2,3'] }).camera).toBeNull();
  });
});

describe('search', () => {
  test('finds words of either language in any order', () => {
    const one = layer('health-clinics', '社区卫生服务中心', 'Community health clinics');
    expect(matches(one, '卫生')).toBe(true);
    expect(matches(one, 'CLINICS health')).toBe(true);
    expect(matches(one, 'ｃｌｉｎｉｃｓ')).toBe(true);
    expect(matches(one, '卫生 学校')).toBe(false);
    expect(matches(one, '  ')).toBe(true);
  });

  test('groups count what may be read and drop what is empty', () => {
    const all = [layer('a', '甲', 'A'), layer('b', '乙', 'B', { access: 'request' }), layer('c', '丙', 'C', { theme: 'gone' })];
    const groups = grouped(all, [{ id: 'none', title: { zh: '空', en: '' } }, { id: 'people', title: { zh: '人口', en: 'People' } }], (one) => one.theme);
    expect(groups.map((group) => [group.id, group.layers.length, group.readable])).toEqual([['people', 2, 1], ['', 1, 1]]);
  });
});
