// Pages. Each room of the app lists its own in `<room>/routes.ts`; all are loaded when they are opened.
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { drillOf } from '@/drill/which'
import { useSession } from '@/stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Open without an account. */
    public?: boolean
    /** Message key of the page's name. */
    title?: string
  }
}

const rooms = import.meta.glob<{ routes: RouteRecordRaw[] }>('./*/routes.ts', { eager: true })
const routes = Object.values(rooms).flatMap((room) => room.routes)

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', redirect: '/hq' },
    ...routes,
    { path: '/:path(.*)*', component: () => import('./UnknownPage.vue'), meta: { public: true } },
  ],
})

/** Where to go after signing in: only paths of this site. */
export function safeNext(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/hq'
}

router.beforeEach(async (to) => {
  if (drillOf(to.query) === undefined && (to.path === '/hq' || to.path === '/patrol')) return { path: '/no-drill', query: { page: to.path }, replace: true }
  // A one-time link to the sign-in page is traded like any other, and leads to where its role works.
  const byLink = to.path === '/login' && 'token' in to.query
  if (to.meta.public && !byLink) return true
  const session = useSession()
  let me = null
  try {
    me = await session.check()
  } catch {
    return true // The server is away: the page opens and says so; the phone works from its own store.
  }
  if (me && byLink) return { path: me.member_id === null ? safeNext(to.query.next) : '/patrol', replace: true }
  if (byLink) return { path: '/login', query: { next: to.query.next }, replace: true }
  if (me) {
    // The token was traded; it must not stay in the address.
    if (!('token' in to.query)) return true
    const { token: _, seat: __, ...query } = to.query
    return { path: to.path, query, hash: to.hash, replace: true }
  }
  return { path: '/login', query: { next: to.path } }
})
