/** The language the server writes its messages in; it also picks between the two where the server sends both. */
let now = 'zh-CN';

export function speak(locale: string): void {
  now = locale;
}

export const language = (): string => now;

/** A text that may be plain or in both languages. */
export function spoken(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  if (typeof value !== 'object' || value === null) return undefined;
  const { zh, en } = value as { zh?: unknown; en?: unknown };
  return now === 'en' ? (spoken(en) ?? spoken(zh)) : (spoken(zh) ?? spoken(en));
}
