import { computed, onScopeDispose, reactive, ref, shallowRef, watch, type ShallowRef } from 'vue';
import type { Candidate } from '@/api/addresses';
import * as api from '@/api/addressJobs';
import { appended, foreseen, nextOpen, replaced, stepped } from './queue';

export interface Filter {
  band: api.Band;
  decided: 'open' | 'all' | 'decided';
  q: string;
}

const PAGE = 50;
/** So many rows before the end the next page is fetched, so that nobody waits. */
const AHEAD = 12;

/** The rows of one job, page by page, and where in them one stands. */
function usePages(id: string, filter: Filter) {
  const rows = shallowRef<api.Row[]>([]);
  const at = ref(0);
  const next = ref<string | null>(null);
  const loading = ref(false);
  const loaded = ref(false);
  const problem = ref<unknown>(null);
  let run = 0;

  async function page(after?: string): Promise<void> {
    const mine = run;
    loading.value = true;
    problem.value = null;
    try {
      const decided = filter.decided === 'all' ? undefined : filter.decided === 'decided';
      const found = await api.rows(id, { band: filter.band, decided, q: filter.q.trim() || undefined, after, limit: PAGE });
      if (mine !== run) return;
      rows.value = after ? appended(rows.value, found.rows) : found.rows;
      next.value = found.next;
      loaded.value = true;
    } catch (thrown) {
      if (mine === run) problem.value = thrown;
    } finally {
      if (mine === run) loading.value = false;
    }
  }

  async function load(): Promise<void> {
    run += 1;
    rows.value = [];
    next.value = null;
    loaded.value = false;
    at.value = 0;
    await page();
  }

  async function more(): Promise<void> {
    if (next.value !== null && !loading.value) await page(next.value);
  }

  function goTo(index: number): void {
    at.value = index;
    if (index >= rows.value.length - AHEAD) void more();
  }
  const move = (by: number) => goTo(stepped(rows.value.length, at.value, by));

  onScopeDispose(() => (run += 1));
  return { rows, at, next, loading, loaded, problem, load, more, goTo, move };
}

/** Tells the server what was decided, shows it at once, and puts back what was refused. */
function useTelling(id: string, rows: ShallowRef<api.Row[]>) {
  /** A decision that the server did not take. */
  const refused = shallowRef<{ row: number; problem: unknown } | null>(null);
  /** Decisions made here less those undone: the job's own figure is as old as the page. */
  const made = ref(0);
  const saving = ref(0);
  /** Other rows of the same text that went with the last decision. */
  const along = shallowRef<{ count: number } | null>(null);
  /** Decisions on one row go to the server in their order. */
  const sending = new Map<number, Promise<unknown>>();
  const wentAlong = new Map<number, number>();

  const keep = (row: number, next: Partial<api.Row>) => void (rows.value = replaced(rows.value, row, next));

  function tell(row: api.Row, wish: api.Wish, note: string, picked: Candidate | null): void {
    const change = Number(wish.kind !== 'undo') - Number(row.decision !== null);
    made.value += change;
    saving.value += 1;
    keep(row.row, { decision: foreseen(wish, note, picked) });
    const told = (sending.get(row.row) ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => api.decide(id, row.row, wish, note))
      .then(
        (answer) => {
          // A later decision on the same row is on its way: its own answer counts.
          if (sending.get(row.row) !== told) return;
          // An answer need not repeat the candidates.
          const { also, ...own } = answer;
          keep(row.row, own.candidates.length > 0 ? own : { ...own, candidates: row.candidates });
          for (const other of also.rows) keep(other, { decision: own.decision && { ...own.decision, follows: row.row } });
          // A second thought takes along those that went with the first.
          const before = wentAlong.get(row.row) ?? 0;
          const now = own.decision ? also.count : 0;
          wentAlong.set(row.row, now);
          made.value += own.decision ? now - before : -also.count;
          along.value = now > 0 ? { count: now } : null;
        },
        (thrown) => {
          made.value -= change;
          keep(row.row, row);
          refused.value = { row: row.row, problem: thrown };
        },
      )
      .finally(() => {
        saving.value -= 1;
        if (sending.get(row.row) === told) sending.delete(row.row);
      });
    sending.set(row.row, told);
  }

  return { refused, made, saving, along, tell };
}

/** The rows of one job that a person goes through: pages, the cursor, decisions and their undoing. */
export function useReview(id: string, begin: Filter) {
  const filter = reactive<Filter>({ ...begin });
  const pages = usePages(id, filter);
  const { rows, at, next, loaded, more, goTo } = pages;
  const { refused, made, saving, along, tell } = useTelling(id, rows);
  /** Rows in the order in which they were decided, for undo. */
  const trail: number[] = [];
  const current = computed<api.Row | undefined>(() => rows.value[at.value]);
  const done = computed(() => loaded.value && next.value === null && rows.value.every((row) => row.decision !== null));

  async function onward(): Promise<void> {
    let found = nextOpen(rows.value, at.value);
    // Rows further on come before those that were passed over.
    if (found <= at.value && next.value !== null) {
      await more();
      found = nextOpen(rows.value, at.value);
    }
    if (found >= 0) goTo(found);
  }

  function decide(wish: api.Wish, note: string, picked: Candidate | null = null): void {
    const row = current.value;
    if (!row) return;
    refused.value = null;
    trail.push(row.row);
    tell(row, wish, note, picked);
    void onward();
  }

  // The row that was led on to may turn out to be decided along with the one before.
  watch(along, () => {
    if (current.value?.decision && current.value.decision.follows !== null) void onward();
  });

  /** Takes back this row's decision, at the row on which it was made, or else the last one made, and stands there. */
  function undo(): boolean {
    refused.value = null;
    const here = current.value;
    let row = here?.decision ? (rows.value.find((one) => one.row === here.decision?.follows) ?? here) : undefined;
    while (!row && trail.length > 0) {
      const last = trail.pop();
      row = rows.value.find((one) => one.row === last && one.decision !== null);
    }
    if (!row) return false;
    goTo(rows.value.indexOf(row));
    tell(row, { kind: 'undo' }, '', null);
    return true;
  }

  /** Says the same decision on a row again with a note. */
  function annotate(row: number, wish: api.Wish, note: string, picked: Candidate | null): void {
    const one = rows.value.find((known) => known.row === row);
    if (one) tell(one, wish, note, picked);
  }

  function back(): void {
    const index = rows.value.findIndex((one) => one.row === refused.value?.row);
    if (index >= 0) goTo(index);
    refused.value = null;
  }

  return { ...pages, filter, current, refused, made, saving, along, done, decide, undo, annotate, back };
}
