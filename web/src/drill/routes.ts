import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  { path: '/drill', component: () => import('./DrillPage.vue'), meta: { title: 'page.drill' } },
  { path: '/no-drill', component: () => import('./NoDrill.vue'), meta: { public: true } },
]
