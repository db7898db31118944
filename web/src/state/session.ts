import { computed, ref } from 'vue';
import * as api from '@/api/session';
import { asProblem } from '@/api/problem';
import type { Session } from '@/api/types';
import { forget } from './catalogue';

const GUEST = 'onemap.guest';
const session = ref<Session | null>(null);
const guest = ref(false);
let asked: Promise<void> | null = null;

export const user = computed(() => session.value);
/** The server takes nothing else from this session before the password is changed or a second factor is there. */
export const unfinished = computed(() => session.value?.pending?.change_password === true || session.value?.pending?.second_factor === true);
/** The second factor is there and still to be shown. */
export const unproved = computed(() => session.value?.pending?.code === true);
export const isGuest = computed(() => guest.value && session.value === null);

function keepGuest(on: boolean): void {
  guest.value = on;
  try {
    if (on) sessionStorage.setItem(GUEST, '1');
    else sessionStorage.removeItem(GUEST);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** Asks the server once who is signed in. A server out of reach is a Problem; no session is not. */
export function ready(): Promise<void> {
  asked ??= (async () => {
    try {
      guest.value = sessionStorage.getItem(GUEST) === '1';
    } catch {
      guest.value = false;
    }
    try {
      session.value = await api.current();
    } catch (thrown) {
      const problem = asProblem(thrown);
      if (problem.status !== 401 && problem.status !== 404) {
        asked = null;
        throw problem;
      }
      session.value = null;
    }
  })();
  return asked;
}

/** Asks again who is signed in, after something about it has changed. */
export async function renew(): Promise<void> {
  session.value = await api.current();
}

export async function signIn(name: string, password: string, code?: string): Promise<void> {
  session.value = await api.open(name, password, code);
  asked = Promise.resolve();
  keepGuest(false);
  forget();
}

export async function prove(code: string): Promise<void> {
  session.value = await api.prove(code);
}

export async function signOut(): Promise<void> {
  try {
    await api.close();
  } finally {
    ended();
  }
}

/** The server no longer knows the session. */
export function ended(): void {
  session.value = null;
  asked = Promise.resolve();
  keepGuest(false);
  forget();
}

export function goAsGuest(): void {
  keepGuest(true);
}
