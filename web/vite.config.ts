import { defineConfig } from 'vite';

// Where `vite dev` finds a server to ask. The page that is built asks the server that it came from.
const server = 'http://127.0.0.1:8080';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    // Nothing may stand inline: the page's Content-Security-Policy allows neither scripts nor styles nor fonts there.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    proxy: Object.fromEntries(
      ['/v1', '/operations', '/openapi.json', '/metrics', '/readyz'].map((path) => [path, { target: server }]),
    ),
  },
});
