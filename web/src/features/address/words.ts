import type { Element, Verdict } from '@/api/addresses';
import { i18n, t } from '@/i18n';

/** Words for a name of the server, or the name itself where a newer server knows more than this page. */
function words(prefix: string, name: string): string {
  const key = `${prefix}.${name}`;
  return i18n.global.te(key) ? t(key) : name;
}

export const faultWords = (fault: string): string => words('address.fault', fault);
export const elementWords = (name: string): string => words('address.element', name);
export const partWords = (name: string): string => (i18n.global.te(`address.part.${name}`) ? t(`address.part.${name}`) : elementWords(name));
export const levelName = (name: string): string => words('address.level', name);

/** Mended slips are told, not complained about. */
export const faultTone = (fault: string): 'blue' | 'warn' => (['old_name', 'typo', 'several_addresses'].includes(fault) ? 'blue' : 'warn');

export const verdictTone = (verdict: Verdict | null): 'ok' | 'warn' | 'bad' | '' => (verdict === 'agree' ? 'ok' : verdict === 'similar' ? 'warn' : verdict === 'conflict' ? 'bad' : '');

/** Nobody writes all of them, and none is missed. */
const DIVISIONS = ['province', 'city', 'district', 'devzone', 'town', 'community'];

/**
 * One line on why a candidate scored so: what contradicts it first, then what was mended, then what is missing on either side.
 * `unknown` is what was written and the register does not have.
 */
export function reason(elements: Element[], unknown: string[] = []): string {
  const of = (verdict: Verdict) => elements.filter((one) => one.verdict === verdict).map((one) => elementWords(one.name));
  const names = (list: string[]) => list.join(t('address.reason.and'));
  const said: string[] = [];
  const [conflict, similar, agree] = [of('conflict'), of('similar'), of('agree')];
  const absent = elements.filter((one) => one.verdict === 'absent' && !DIVISIONS.includes(one.name)).map((one) => elementWords(one.name));
  if (conflict.length > 0) said.push(t('address.reason.conflict', { names: names(conflict) }));
  if (similar.length > 0) said.push(t('address.reason.similar', { names: names(similar) }));
  if (absent.length > 0) said.push(t('address.reason.absent', { names: names(absent) }));
  if (unknown.length > 0) said.push(t('address.unregistered', { text: names(unknown) }));
  if (said.length === 0 && agree.length > 0) said.push(t('address.reason.agree'));
  return said.join(t('address.reason.then'));
}
