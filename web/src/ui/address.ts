import type { Level } from '@/api/addresses';
import { t } from '@/i18n';

export type Trust = 'sure' | 'likely' | 'doubtful' | 'unlikely';
export type Tone = 'ok' | 'blue' | 'warn' | 'bad';

/** From here on the answer may be taken as it is; the server's own threshold. */
export const AUTO = 0.9;
/** Below, an answer is not worth a look. */
export const REJECT = 0.3;
/** More likely right than wrong, by a margin that a person would call so. */
const LIKELY = 0.6;

export function trustOf(score: number): Trust {
  if (score >= AUTO) return 'sure';
  if (score >= LIKELY) return 'likely';
  return score >= REJECT ? 'doubtful' : 'unlikely';
}

/** Never rounded up: only what is certain says 100 %. The small term undoes that 0.29 × 100 is 28.999…. */
export const percent = (score: number): number => Math.floor(Math.min(1, Math.max(0, score)) * 100 + 1e-6);

export const trustTone = (score: number): Tone => ({ sure: 'ok', likely: 'blue', doubtful: 'warn', unlikely: 'bad' })[trustOf(score)] as Tone;
export const trustWords = (score: number): string => t('address.trust.words', { word: t(`address.trust.${trustOf(score)}`), percent: percent(score) });

/** Whether the place is the one asked for, a guess between neighbours, or only the surroundings. */
export function levelTone(level: Level): Tone {
  if (level === 'none') return 'bad';
  if (level === 'interpolated') return 'warn';
  return ['road', 'village', 'street', 'district'].includes(level) ? 'warn' : 'ok';
}

export const levelWords = (level: Level): string => t(`address.level.${level}`);

/** Degrees as they are written down and sent on: longitude first. */
export const coordinates = (lon: number, lat: number): string => `${lon.toFixed(6)}, ${lat.toFixed(6)}`;

export function metres(distance: number): string {
  if (distance < 1) return t('address.distance.here');
  return distance < 950 ? t('address.distance.metres', { n: Math.round(distance) }) : t('address.distance.kilometres', { n: (distance / 1000).toFixed(1) });
}
