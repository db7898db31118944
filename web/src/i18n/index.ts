import { createI18n } from 'vue-i18n';
import type { Said } from '@/api/types';
import { speak } from '@/api/language';
import en from './en';
import zh from './zh-CN';

export type Locale = 'zh-CN' | 'en';
const KEPT = 'onemap.locale';

function first(): Locale {
  try {
    const kept = localStorage.getItem(KEPT);
    if (kept === 'zh-CN' || kept === 'en') return kept;
  } catch {
    // Storage may be switched off; the language then lasts as long as the page.
  }
  return 'zh-CN';
}

export const i18n = createI18n({
  legacy: false,
  locale: first(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh, en },
});

export function locale(): Locale {
  return i18n.global.locale.value as Locale;
}

export function setLocale(next: Locale): void {
  i18n.global.locale.value = next;
  document.documentElement.lang = next;
  speak(next);
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // See first().
  }
}

/** The text in the reader's language; the other one rather than nothing. */
export function said(text: Said | string | null | undefined): string {
  if (text === null || text === undefined) return '';
  if (typeof text === 'string') return text;
  return locale() === 'en' ? text.en || text.zh || '' : text.zh || text.en || '';
}

export const t = i18n.global.t;
