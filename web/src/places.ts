import type { Component } from 'vue';
import type { RouteRecordRaw } from 'vue-router';
import { Collection, DataLine, DocumentChecked, LocationInformation, MapLocation, PieChart, Search, Stamp, UploadFilled, User, UserFilled, View } from '@element-plus/icons-vue';

export type Role = 'platform_administrator' | 'department_administrator' | 'publisher' | 'approver' | 'user' | 'auditor';

/** A screen of the portal: where it stands, who is shown the way there, and where its name is in the menu. */
export interface Place {
  name: string;
  path: string;
  page: () => Promise<{ default: Component } | Component>;
  /** The i18n key of its name. */
  label: string;
  icon: Component;
  /** Where the menu shows it on a wide window; the server decides what it answers, whatever the menu shows. */
  menu: 'front' | 'manage';
  /** Stays in the bar on a phone, where four find room; the others stand behind 更多. */
  thumb?: boolean;
  /** Open to whoever is not signed in. */
  guests?: boolean;
  /** Shown to these roles only; to everybody signed in where it is left out. */
  roles?: Role[];
}

export const map = () => import('@/features/onemap/OneMapPage.vue');

/** In the menu's order. */
export const places: Place[] = [
  { name: 'map', path: '/', page: map, label: 'nav.map', icon: MapLocation, menu: 'front', thumb: true, guests: true },
  { name: 'catalogue', path: '/catalogue/:code?', page: () => import('@/features/catalogue/CataloguePage.vue'), label: 'records.title', icon: Collection, menu: 'front', guests: true },
  { name: 'requests', path: '/requests/:view(mine|inbox|grants|settings|new|give)?/:id?', page: () => import('@/features/requests/RequestsPage.vue'), label: 'requests.title', icon: Stamp, menu: 'front', thumb: true },
  // Not behind a sign-in: what is open to the public may be looked up by everybody.
  { name: 'address', path: '/address/:mode(batch|decisions)?/:id?', page: () => import('@/features/address/AddressPage.vue'), label: 'nav.address', icon: LocationInformation, menu: 'front', thumb: true, guests: true },
  { name: 'theme', path: '/theme/:id?', page: () => import('@/features/theme/ThemePage.vue'), label: 'nav.theme', icon: PieChart, menu: 'front', thumb: true },
  { name: 'query', path: '/query/:mode(nearest|overlay)?', page: () => import('@/features/query/QueryPage.vue'), label: 'nav.query', icon: Search, menu: 'front', guests: true },
  { name: 'upload', path: '/upload/:id?', page: () => import('@/features/upload/UploadPage.vue'), label: 'nav.upload', icon: UploadFilled, menu: 'front', roles: ['platform_administrator', 'department_administrator', 'publisher'] },
  { name: 'developer', path: '/developer', page: () => import('@/features/developer/DeveloperPage.vue'), label: 'nav.developer', icon: DataLine, menu: 'front' },
  { name: 'people', path: '/people', page: () => import('@/features/people/PeoplePage.vue'), label: 'people.title', icon: UserFilled, menu: 'manage', roles: ['platform_administrator', 'department_administrator'] },
  { name: 'simulation', path: '/simulation', page: () => import('@/features/simulation/SimulationPage.vue'), label: 'simulation.title', icon: View, menu: 'manage', roles: ['platform_administrator', 'department_administrator', 'auditor'] },
  { name: 'audit', path: '/audit/:view(summary|proof)?', page: () => import('@/features/audit/AuditPage.vue'), label: 'audit.title', icon: DocumentChecked, menu: 'manage', roles: ['auditor', 'department_administrator'] },
  { name: 'account', path: '/account', page: () => import('@/features/people/AccountPage.vue'), label: 'people.account.title', icon: User, menu: 'manage' },
];

export const routes: RouteRecordRaw[] = places.map(({ name, path, page, guests }) => ({ name, path, component: page, meta: { guests } }));

/** The places that somebody of this role is shown; null is whoever is not signed in. */
export function shownTo(role: string | null): Place[] {
  return places.filter((place) => !place.roles || (role !== null && place.roles.includes(role as Role)));
}
