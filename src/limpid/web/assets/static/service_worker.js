// Keeps every file of the page for use without a network, and adds the headers that allow threads.
const STORE = "limpid-VERSION";
const FILES = [/*FILES*/];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(STORE).then((store) => store.addAll(FILES)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== STORE).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith(answer(event.request));
});

async function answer(request) {
  const found = (await caches.match(request, { ignoreSearch: true })) || (await fetched(request));
  const headers = new Headers(found.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(found.body, { status: found.status, statusText: found.statusText, headers });
}

// What few visitors need (WebGPU) is kept once it was asked for.
async function fetched(request) {
  const found = await fetch(request);
  if (found.status === 200) await (await caches.open(STORE)).put(request, found.clone());
  return found;
}
