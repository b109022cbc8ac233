import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  { path: '/public', component: () => import('./PublicPage.vue'), meta: { public: true, title: 'page.public' } },
]
