import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [{ path: '/duty', component: () => import('./DutyPage.vue'), meta: { title: 'page.duty' } }]
