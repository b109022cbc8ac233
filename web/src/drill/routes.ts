import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [{ path: '/drill', component: () => import('./DrillPage.vue'), meta: { title: 'page.drill' } }]
