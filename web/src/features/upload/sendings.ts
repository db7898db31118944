import { computed, reactive } from 'vue';
import { asProblem, type Problem } from '@/api/problem';
import { send, type Sending } from '@/api/uploads';
import type { Parcel } from './bundle';
import { zip } from '@/tables/zip';

/** A file on its way. Kept outside the page, so that looking at the map does not stop it. */
export interface Parcelled {
  number: number;
  name: string;
  id: string;
  state: 'packing' | 'sending' | 'paused' | 'done' | 'failed';
  sent: number;
  total: number;
  rate: number;
  problem: Problem | null;
}

const all = reactive<Parcelled[]>([]);
const controls = new Map<number, Sending>();
let next = 1;

export const sendings = all;
export const busy = computed(() => all.some((one) => one.state === 'packing' || one.state === 'sending'));
export const sendingOf = (id: string): Parcelled | undefined => all.find((one) => one.id === id && one.state !== 'done');

/** Smoothed bytes per second; single pieces come in bursts. */
function meter(): (sent: number) => number {
  let last = { at: performance.now(), sent: -1 };
  let rate = 0;
  return (sent) => {
    const now = performance.now();
    if (last.sent < 0) last = { at: now, sent };
    const seconds = (now - last.at) / 1000;
    if (seconds >= 0.5) {
      const fresh = (sent - last.sent) / seconds;
      rate = rate === 0 ? fresh : rate * 0.7 + fresh * 0.3;
      last = { at: now, sent };
    }
    return Math.max(0, rate);
  };
}

/** Sends a parcel. `seen` is told when the server first knows it and when all of it has arrived. */
export async function start(parcel: Parcel, seen: (id: string, done: boolean) => void): Promise<void> {
  all.push({ number: next++, name: parcel.name, id: '', state: 'packing', sent: 0, total: 0, rate: 0, problem: null });
  const one = all[all.length - 1];
  const speed = meter();
  try {
    const file = parcel.zipped ? await zip(parcel.name, parcel.parts) : parcel.parts[0].file;
    one.total = file.size;
    one.state = 'sending';
    controls.set(
      one.number,
      await send(file, {
        begun: (id) => {
          one.id = id;
          seen(id, false);
        },
        progress: (sent, total) => {
          one.sent = sent;
          one.total = total;
          one.rate = speed(sent);
        },
        done: (id) => {
          one.id = id;
          one.state = 'done';
          one.sent = one.total;
          controls.delete(one.number);
          seen(id, true);
        },
        failed: (problem) => {
          one.state = 'failed';
          one.problem = problem;
        },
      }),
    );
  } catch (thrown) {
    one.state = 'failed';
    one.problem = asProblem(thrown);
  }
}

export function pause(one: Parcelled): void {
  controls.get(one.number)?.pause();
  one.state = 'paused';
}

export function resume(one: Parcelled): void {
  one.state = 'sending';
  one.problem = null;
  controls.get(one.number)?.resume();
}

export function dismiss(one: Parcelled): void {
  if (one.state === 'sending') controls.get(one.number)?.pause();
  controls.delete(one.number);
  const at = all.indexOf(one);
  if (at >= 0) all.splice(at, 1);
}
