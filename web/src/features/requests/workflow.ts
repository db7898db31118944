import type { Move, RequestState, UseRequest } from '@/api/requests';

/** A thing one may do with a request: the server's moves, writing on, throwing a draft away. */
export type Act = Move | 'edit' | 'discard';

const ORDER: Act[] = ['approve', 'return', 'reject', 'submit', 'edit', 'withdraw', 'surrender', 'revoke', 'discard'];

/** The buttons under a request, the likeliest first: what the server says is possible for this reader in this state. */
export const actsOn = (one: Pick<UseRequest, 'actions'>): Act[] => ORDER.filter((act) => one.actions.includes(act));

/** Those that belong to a decision. */
export const DECISIONS = ['approve', 'return', 'reject'] as const;
export const isDecision = (act: Act): act is (typeof DECISIONS)[number] => (DECISIONS as readonly string[]).includes(act);

export const TONES: Record<RequestState, '' | 'ok' | 'warn' | 'bad' | 'blue'> = {
  draft: '',
  submitted: 'blue',
  returned: 'warn',
  approved: 'ok',
  rejected: 'bad',
  active: 'ok',
  expired: '',
  revoked: 'bad',
  surrendered: '',
};

/** How near a deadline is; days are whole and count from the reader's day. */
export function urgency(due: string | null, today: string): { days: number; tone: '' | 'warn' | 'bad' } | null {
  if (!due) return null;
  const days = Math.round((Date.parse(`${due.slice(0, 10)}T00:00:00Z`) - Date.parse(`${today}T00:00:00Z`)) / 86_400_000);
  if (!Number.isFinite(days)) return null;
  return { days, tone: days < 0 ? 'bad' : days <= 1 ? 'warn' : '' };
}

/** Today as a date of the reader's clock, not of Greenwich's. */
export function today(now = new Date()): string {
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, '0')}-${String(now.getDate()).padStart(2, '0')}`;
}
