import { locale, t } from '@/i18n';

export const whole = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '—' : Math.round(value).toLocaleString(locale());

export function bytes(size: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = size;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

export function duration(seconds: number): string {
  const n = Math.max(0, Math.round(seconds));
  if (n < 90) return t('time.seconds', { n });
  if (n < 5400) return t('time.minutes', { n: Math.round(n / 60) });
  return t('time.hours', { n: (n / 3600).toFixed(1) });
}

/** A moment as the reader writes it; a bare date stays a date. */
export function moment(text: string | null | undefined): string {
  if (!text) return '—';
  const when = new Date(text);
  if (Number.isNaN(when.getTime())) return text;
  const day: Intl.DateTimeFormatOptions = { year: 'numeric', month: '2-digit', day: '2-digit' };
  return /^\d{4}-\d{2}-\d{2}$/.test(text)
    ? when.toLocaleDateString(locale(), { ...day, timeZone: 'UTC' })
    : when.toLocaleString(locale(), { ...day, hour: '2-digit', minute: '2-digit', hour12: false });
}

/** A figure with as many digits as say something: 1,234,567 · 12.3 · 0.0457. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '—';
  const size = Math.abs(value);
  return value.toLocaleString(locale(), size >= 1000 || Number.isInteger(value) ? { maximumFractionDigits: 0 } : size >= 1 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 3 });
}

/** A length on the ground. */
export function metres(value: number): string {
  if (value < 1000) return `${value.toLocaleString(locale(), { maximumFractionDigits: value < 100 ? 1 : 0 })} m`;
  return `${(value / 1000).toLocaleString(locale(), { maximumFractionDigits: value < 100_000 ? 2 : 0 })} km`;
}

/** A surface on the ground. */
export function squareMetres(value: number): string {
  if (value < 1e5) return `${value.toLocaleString(locale(), { maximumFractionDigits: 0 })} m²`;
  return `${(value / 1e6).toLocaleString(locale(), { maximumFractionDigits: value < 1e8 ? 3 : 1 })} km²`;
}
