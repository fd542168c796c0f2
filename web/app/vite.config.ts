// How the client is built: one page, hashed assets, nothing inline; and how it runs beside a server while one works on it.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

import { firstScript } from './first.plugin';
import { serviceWorker } from './service-worker.plugin';
import { withoutCustomElements, withoutHydration } from './svelte.parts';

/** The server that the development and preview pages talk to. */
const server = process.env['SUDA_SERVER'] ?? 'http://127.0.0.1:7878';
const proxy = { '/v1': { target: server, ws: true } };

/** As the server sends it with its pages, so that a preview fails where the real thing would. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types svelte-trusted-html suda-client suda-scripts',
].join('; ');

export default defineConfig({
  plugins: [svelte(), withoutHydration(), firstScript(), serviceWorker()],
  build: {
    // For the script that measures what is loaded.
    manifest: '.vite/page.json',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    assetsDir: 'assets',
    rolldownOptions: {
      treeshake: withoutCustomElements,
      output: {
        // What is loaded first is one script: it compresses better than many.
        codeSplitting: { groups: [{ name: 'page', tags: ['$initial'] }] },
      },
    },
  },
  // A module, so that what few need of it comes when they do.
  worker: { format: 'es' },
  server: { proxy },
  preview: { proxy, headers: { 'Content-Security-Policy': policy } },
});
