import { ref, shallowRef } from 'vue';
import * as api from '@/api/notifications';
import { asProblem, type Problem } from '@/api/problem';

/** What the reader is told; only while somebody is signed in. */
export const unread = ref(0);
export const notices = shallowRef<api.Notice[] | null>(null);
export const problem = shallowRef<Problem | null>(null);
let stop: (() => void) | null = null;

export async function ask(): Promise<void> {
  try {
    const page = await api.notices();
    notices.value = page.items;
    unread.value = page.unread;
    problem.value = null;
  } catch (thrown) {
    problem.value = asProblem(thrown);
  }
}

export function follow(): void {
  if (stop) return;
  void ask();
  stop = api.onNews(() => void ask());
}

/** Another reader is told other things. */
export function unfollow(): void {
  stop?.();
  stop = null;
  unread.value = 0;
  notices.value = null;
  problem.value = null;
}

export async function read(one: api.Notice): Promise<void> {
  if (one.read) return;
  unread.value = await api.markRead(one.id);
  notices.value = notices.value?.map((other) => (other.id === one.id ? { ...other, read: true } : other)) ?? null;
}

export async function readAll(): Promise<void> {
  const newest = notices.value?.[0];
  if (!newest) return;
  unread.value = await api.markAll(newest.id);
  await ask();
}
