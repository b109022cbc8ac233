import type { RouteRecordRaw } from 'vue-router'

// Public for the router, because the phone must open from its own store before the server answers; the page itself
// asks who is here and sends strangers to the sign-in page.
export const routes: RouteRecordRaw[] = [
  { path: '/patrol', component: () => import('./PatrolPage.vue'), meta: { title: 'page.patrol', public: true } },
]
