// Takes pictures of the status page of a running exporter in Chromium, light and dark, of the same snapshot.
// Usage: node screenshot.mjs --url URL --out PREFIX [--width PIXELS] [--until HEADING]
// Writes PREFIX-light.png and PREFIX-dark.png, which end above HEADING.
import { parseArgs } from 'node:util';
import { launchChromium } from './browser.mjs';

const { values: options } = parseArgs({
  options: {
    url: { type: 'string' },
    out: { type: 'string' },
    width: { type: 'string', default: '900' },
    until: { type: 'string' },
  },
});
for (const name of ['url', 'out']) {
  if (!options[name]) throw new Error(`--${name} is required`);
}

const browser = await launchChromium();
try {
  const viewport = { width: Number(options.width), height: 600 };
  const page = await browser.newPage({ viewport });
  await page.goto(options.url);
  const height = options.until
    ? (await page.getByRole('heading', { name: options.until }).boundingBox()).y
    : await page.evaluate(() => document.documentElement.scrollHeight);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const path = `${options.out}-${colorScheme}.png`;
    await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width: viewport.width, height } });
  }
} finally {
  await browser.close();
}
