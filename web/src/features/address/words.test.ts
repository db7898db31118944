import { expect, test } from 'vitest';
import type { Element } from '@/api/addresses';
import { elementWords, faultTone, faultWords, partWords, reason } from './words';

const of = (name: string, verdict: Element['verdict']): Element => ({ name, text: 'x', verdict });

test('the reason names what contradicts first, and agreement only where nothing else is to say', () => {
  expect(reason([of('road', 'agree'), of('roadno', 'agree')])).toBe('写到的部分都一致');
  expect(reason([of('road', 'similar'), of('district', 'conflict'), of('roadno', 'agree'), of('roomno', 'absent'), of('town', 'absent')])).toBe('区县不一致；道路有错字，已更正；文字中没有写室');
  expect(reason([of('roadno', 'absent'), of('road', 'absent')])).toBe('文字中没有写门牌号、道路');
  expect(reason([of('road', 'agree')], ['306号', '3单元'])).toBe('登记中没有306号、3单元');
  expect(reason([])).toBe('');
});

test('every fault and element that the server knows has words; a newer one shows its name', () => {
  for (const fault of ['empty', 'too_long', 'not_an_address', 'other_place', 'ambiguous', 'number_not_found', 'road_not_found', 'division_conflict', 'old_name', 'typo', 'expired', 'several_addresses']) {
    expect(faultWords(fault), fault).not.toBe(fault);
  }
  for (const name of ['province', 'city', 'district', 'devzone', 'town', 'community', 'village_group', 'road', 'lane', 'roadno', 'intersection', 'compound', 'poi', 'subpoi', 'houseno', 'cellno', 'floorno', 'roomno', 'assist', 'distance', 'redundant']) {
    expect(elementWords(name), name).not.toBe(name);
  }
  expect([faultWords('new_fault'), elementWords('new_element'), partWords('road')]).toEqual(['new_fault', 'new_element', '道路']);
  expect([faultTone('typo'), faultTone('ambiguous')]).toEqual(['blue', 'warn']);
});
