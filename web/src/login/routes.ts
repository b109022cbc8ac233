import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  { path: '/login', component: () => import('./LoginPage.vue'), meta: { public: true, title: 'page.login' } },
  { path: '/setup', component: () => import('./SetupPage.vue'), meta: { public: true, title: 'page.setup' } },
]
