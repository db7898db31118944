import { createApp } from 'vue';
import { createRouter, createWebHashHistory } from 'vue-router';
import { onUnauthorized } from '@/api/client';
import { speak } from '@/api/language';
import { i18n, locale } from '@/i18n';
import { arrived, notArrived } from '@/state/arrival';
import { recall } from '@/state/onward';
import { ended, isGuest, ready, unfinished, unproved, user } from '@/state/session';
import App from './App.vue';
import { map, routes } from './places';
import './ui/tokens.css';
import './ui/base.css';

// Most visits begin at the map: its code travels while the server is asked who is signed in.
if (/^#?\/?(\?|$)/.test(window.location.hash)) void map().catch(() => undefined);

// Places stand behind the #, so that a reload or a shared link needs no rule on the server.
const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    ...routes,
    { path: '/sign-in', name: 'sign-in', component: () => import('@/features/signin/SignInPage.vue'), meta: { bare: true } },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
});

router.beforeEach(async (to) => {
  if (to.name === 'sign-in') return true;
  try {
    await ready();
  } catch {
    // The server is out of reach: the page itself says so and offers to try again.
    return true;
  }
  if (unproved.value) return { name: 'sign-in', query: to.fullPath === '/' ? {} : { to: to.fullPath } };
  if (user.value && to.fullPath === '/') {
    const onward = recall();
    if (onward !== '/') return onward;
  }
  if (unfinished.value) return to.name === 'account' ? true : { name: 'account' };
  if (user.value || (isGuest.value && to.meta.guests)) return true;
  return { name: 'sign-in', query: to.fullPath === '/' ? {} : { to: to.fullPath } };
});

router.onError((_thrown, to) => notArrived(to.fullPath));
router.afterEach((_to, _from, failure) => {
  if (!failure) arrived();
});

onUnauthorized(() => {
  const at = router.currentRoute.value;
  if (at.name === 'sign-in') return;
  const was = user.value !== null;
  ended();
  void router.push({ name: 'sign-in', query: { to: at.fullPath, ...(was ? { ended: '1' } : {}) } });
});

speak(locale());
document.documentElement.lang = locale();
createApp(App).use(i18n).use(router).mount('#app');
