// A page in headless Chromium that draws dashboards with Grafana's components.
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { pageHeight } from './page/layout.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const icons = join(here, 'node_modules/@grafana/ui/dist/public/img/icons');
// Grafana serves this font itself; @grafana/ui does not contain it. One file has all weights.
const font = join(here, 'node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2');
// Nothing listens here: the page gets all its files from this process.
const ORIGIN = 'http://grafana.test';
const WIDTH = 1600;

async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [join(here, 'page/main.jsx')],
    bundle: true,
    write: false,
    outdir: '/',
    format: 'esm',
    // Editors and maps are loaded on use, which no panel does.
    splitting: true,
    external: ['monaco-editor', 'ol/*'],
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    logLevel: 'error',
  });
  return Object.fromEntries(outputFiles.map(({ path, contents }) => [path, Buffer.from(contents)]));
}

const HTML = `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/main.css">
<div id="root"></div><script type="module" src="/main.js"></script>`;

function respond(files, route) {
  const { pathname } = new URL(route.request().url());
  if (pathname === '/') return route.fulfill({ contentType: 'text/html', body: HTML });
  if (files[pathname]) {
    const contentType = pathname.endsWith('.css') ? 'text/css' : 'text/javascript';
    return route.fulfill({ contentType, body: files[pathname] });
  }
  const icon = pathname.match(/\/img\/icons\/(.+\.svg)$/)?.[1];
  if (icon) return route.fulfill({ contentType: 'image/svg+xml', path: join(icons, icon) });
  if (/\/fonts\/inter\/.+\.woff2$/.test(pathname)) return route.fulfill({ contentType: 'font/woff2', path: font });
  return route.fulfill({ status: 404 });
}

export class Browser {
  #chromium;
  #files;

  static async launch() {
    const browser = new Browser();
    const executablePath = execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
    [browser.#files, browser.#chromium] = await Promise.all([
      bundle(),
      chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'] }),
    ]);
    return browser;
  }

  /** Draws a dashboard. Returns the report of window.draw() of page/main.jsx, errors of the page, and a PNG. */
  async draw(drawing) {
    // All is in view, because Chromium does not paint some components that are not.
    const viewport = { width: WIDTH, height: pageHeight(drawing.dashboard) };
    const page = await this.#chromium.newPage({ viewport });
    const errors = [];
    page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
    page.on(
      'console',
      (message) => message.type() === 'error' && errors.push(`console: ${message.text()} ${message.location().url}`),
    );
    try {
      const responses = [];
      await page.route('**', (route) => responses.push(respond(this.#files, route)));
      await page.goto(ORIGIN, { waitUntil: 'load' });
      const panels = await page.evaluate((argument) => window.draw(argument), drawing);
      await Promise.all(responses); // icons are loaded after the panels are drawn
      return { panels, errors, png: await page.screenshot() };
    } finally {
      await page.close();
    }
  }

  close() {
    return this.#chromium.close();
  }
}
