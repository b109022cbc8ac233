import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [{ path: '/hq', component: () => import('./HqPage.vue'), meta: { title: 'page.hq' } }]
