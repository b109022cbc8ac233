// Installs the service worker and the manifest of the phone app; both only where /patrol is opened.

export function install(): void {
  if (document.querySelector('link[rel=manifest]') === null) {
    const link = document.createElement('link')
    link.rel = 'manifest'
    link.href = '/manifest.webmanifest'
    document.head.append(link)
  }
  // Over plain http on a name other than localhost there is none; the outbox works all the same.
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  navigator.serviceWorker.register('/sw.js', { scope: '/', updateViaCache: 'none' }).catch((cause: unknown) => {
    console.warn('the offline page cannot be installed:', cause)
  })
}
