// Checks the status page of a running exporter in Chromium: accessibility (axe-core), layout, keyboard, refresh and
// print, at three widths and in both color schemes. Prints what is wrong and exits with 1.
// Usage: node check.mjs --url URL [--out DIRECTORY for screenshots] [--name PREFIX of their names]
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launchChromium } from './browser.mjs';

const { values: options } = parseArgs({
  options: { url: { type: 'string' }, out: { type: 'string' }, name: { type: 'string', default: 'page' } },
});
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const widths = [360, 768, 1600];
const narrowest = 320; // WCAG 1.4.10, reflow
const colorSchemes = ['light', 'dark'];
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const problems = [];

const pageUrl = (refreshSeconds) => `${options.url.replace(/\/$/, '')}/?refresh=${refreshSeconds}`;

async function screenshot(page, name) {
  if (options.out) {
    await page.screenshot({ path: join(options.out, `${options.name}-${name}.png`), fullPage: true });
  }
}

async function checkAccessibility(page) {
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate((values) => axe.run({ runOnly: { type: 'tag', values } }), rules);
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `axe-core: ${id}: ${help}: ${node.target} ${node.html.slice(0, 200)}`));
  // axe-core has no rule for <meter>.
  const unnamed = await page.locator('meter:not([aria-label])').count();
  return unnamed > 0 ? [...found, `${unnamed} meters have no name`] : found;
}

/** Nothing is wider than the window, and nothing has to be scrolled within the page. */
function checkOverflow(page) {
  return page.evaluate(() => {
    const describe = (element) => `${element.tagName.toLowerCase()}.${element.getAttribute('class')}: ${element.textContent.slice(0, 60)}`;
    // The header of a table that is a list on a narrow screen is for screen readers.
    const isHidden = (element) => ['TABLE', 'THEAD', 'TR', 'TH'].includes(element.tagName)
      && element.closest('thead') !== null && getComputedStyle(element.closest('thead')).clipPath !== 'none';
    const found = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) {
      found.push(`the page is ${root.scrollWidth} pixels wide in a window of ${root.clientWidth}`);
    }
    for (const element of document.body.querySelectorAll('*')) {
      const box = element.getBoundingClientRect();
      if (box.width > 0 && !isHidden(element) && (box.right > root.clientWidth + 1 || box.left < -1)) {
        found.push(`beyond the edge of the window: ${describe(element)}`);
      }
      const { overflowX, overflowY } = getComputedStyle(element);
      if (element instanceof HTMLElement && element.tagName !== 'METER' && [overflowX, overflowY].some((value) => value !== 'visible')
        && (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1)) {
        found.push(`clipped or scrolled: ${describe(element)}`);
      }
    }
    // The text of a cell must not run into the next one.
    for (const cell of document.querySelectorAll('td, th')) {
      if (cell.scrollWidth > cell.clientWidth + 1 && !isHidden(cell)) {
        found.push(`wider than its cell: ${describe(cell)}`);
      }
    }
    return found;
  });
}

/** Each link has focus once, in the order of the page, visibly. */
async function checkKeyboard(page) {
  const found = [];
  const expected = await page.evaluate(() => {
    const elements = [...document.querySelectorAll('a[href], button, input, [tabindex="0"]')];
    elements.forEach((element, i) => { element.dataset.order = i; });
    document.activeElement?.blur();
    scrollTo(0, 0);
    return elements.map((element) => element.textContent);
  });
  for (let i = 0; i < expected.length; ++i) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      return {
        order: element.dataset.order,
        name: element.textContent.slice(0, 60),
        hasOutline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        isInWindow: box.bottom > 0 && box.top < innerHeight && box.width > 0,
      };
    });
    if (focused.order !== String(i)) {
      found.push(`Tab ${i + 1} leads to "${focused.name}", expected "${expected[i]}"`);
      break;
    }
    if (!focused.hasOutline || !focused.isInWindow) {
      found.push(`the focus on "${focused.name}" is not visible`);
    }
  }
  return found;
}

const stateOf = (page) => page.evaluate(() => {
  const visible = [...document.body.querySelectorAll('*')].filter((element) => element.getClientRects().length > 0);
  return {
    scroll: scrollY,
    focus: document.activeElement?.textContent,
    selection: getSelection().toString(),
    isSameDocument: window.isFirstDocument === true,
    announcements: window.announcements,
    verdict: document.querySelector('.verdict').textContent,
    time: document.querySelector('header').textContent.match(/\d+-\d+-\d+ \d+:\d+:\d+/)[0],
    // Numbers change, and with them only the width of the text in its place.
    shape: document.body.innerText.replace(/\d+(\.\d+)?( [kMG]?i?B| m?s)?/g, '0'),
    boxes: visible.filter((element) => element.matches('section, h1, h2, h3, p, li, dt, dd, table, tr, th, td, a')).map((element) => {
      const { x, y, height } = element.getBoundingClientRect();
      return [`${element.tagName.toLowerCase()} ${element.textContent.slice(0, 40)}`, Math.round(x), Math.round(y + scrollY), Math.round(height)];
    }),
  };
});

async function waitForRefresh(page, time) {
  await page.waitForFunction((before) => !document.querySelector('header').textContent.includes(before), time, { timeout: 60000 });
}

/** A refresh keeps position, focus, selection and layout, and announces nothing unless the verdict changes. */
async function checkRefresh(page) {
  await page.goto(pageUrl(1));
  await waitForRefresh(page, (await stateOf(page)).time); // the first snapshot has no growth
  await page.evaluate(() => {
    window.isFirstDocument = true;
    window.announcements = 0;
    const observer = new MutationObserver((changes) => { window.announcements += changes.length; });
    for (const region of document.querySelectorAll('[role=status], [aria-live]')) {
      observer.observe(region, { childList: true, characterData: true, subtree: true, attributes: true });
    }
    const links = document.querySelectorAll('main a');
    links[links.length - 1].focus();
    getSelection().selectAllChildren(document.querySelector('caption'));
    scrollTo(0, (document.documentElement.scrollHeight - innerHeight) / 2);
  });
  let before = await stateOf(page);
  let compared = 0;
  for (let refresh = 0; refresh < 8 && compared < 2; ++refresh) {
    await waitForRefresh(page, before.time);
    const after = await stateOf(page);
    if (!after.isSameDocument) {
      return ['the refresh loads the document again'];
    }
    const found = ['focus', 'selection']
      .filter((name) => after[name] !== before[name])
      .map((name) => `the refresh changes the ${name}: "${before[name]}", then "${after[name]}"`);
    if (after.verdict === before.verdict && after.announcements > 0) {
      found.push(`the refresh announces a verdict that did not change: ${after.verdict}`);
    }
    if (after.shape === before.shape) {
      ++compared;
      if (Math.abs(after.scroll - before.scroll) > 1) {
        found.push(`the refresh scrolls from ${before.scroll} to ${after.scroll}`);
      }
      before.boxes.forEach(([name, ...box], i) => {
        if (String(box) !== String(after.boxes[i]?.slice(1))) {
          found.push(`the refresh moves "${name}" from ${box} to ${after.boxes[i]?.slice(1)}`);
        }
      });
    }
    if (found.length > 0) {
      return found.slice(0, 10);
    }
    before = { ...after, announcements: 0 };
    await page.evaluate(() => { window.announcements = 0; });
  }
  return compared > 0 ? [] : ['the findings or listeners changed at each refresh, nothing to compare'];
}

/** Without an answer the page says so, and goes on with the next one. */
async function checkLostExporter(page) {
  await page.goto(pageUrl(1));
  const note = page.locator('#stale');
  await page.route('**/*', (route) => route.abort());
  try {
    await note.filter({ hasText: 'Not refreshed' }).waitFor({ timeout: 30000 });
    await screenshot(page, 'lost');
    const found = await checkAccessibility(page);
    await page.unroute('**/*');
    await page.waitForFunction(() => document.getElementById('stale').textContent === '', null, { timeout: 30000 });
    return found;
  } catch (error) {
    return [`no note on an exporter that does not answer, or it remains: ${error.message}`];
  }
}

/** Everything is on paper, dark on white, but what only makes sense on a screen. */
async function checkPrint(page) {
  await page.emulateMedia({ media: 'print' });
  const found = await checkOverflow(page);
  found.push(...await page.evaluate(() => {
    const found = [];
    const isVisible = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 1;
    for (const element of document.querySelectorAll('h1, h2, h3, li, caption, dt, dd, tr, th, td, footer p')) {
      if (element.textContent && !isVisible(element)) {
        found.push(`not printed: ${element.textContent.slice(0, 60)}`);
      }
    }
    for (const element of document.querySelectorAll('.screen')) {
      if (element.checkVisibility()) {
        found.push(`printed: ${element.textContent.slice(0, 60)}`);
      }
    }
    const body = getComputedStyle(document.body);
    if (body.color !== 'rgb(0, 0, 0)' || body.backgroundColor !== 'rgb(255, 255, 255)') {
      found.push(`printed ${body.color} on ${body.backgroundColor}`);
    }
    return found;
  }));
  await screenshot(page, 'print');
  if (options.out) {
    await page.pdf({ path: join(options.out, `${options.name}.pdf`), format: 'A4', margin: { top: '15mm', bottom: '15mm', left: '15mm', right: '15mm' } });
  }
  return found;
}

/** Browsers without scripts load the page again. */
async function checkWithoutScripts(browser) {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(pageUrl(1));
  try {
    await page.waitForRequest((request) => request.isNavigationRequest(), { timeout: 30000 });
    return [];
  } catch {
    return ['without scripts the page does not refresh'];
  } finally {
    await page.close();
  }
}

async function check(browser, name, contextOptions, steps) {
  const page = await browser.newPage(contextOptions);
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('ERR_FAILED')) {
      problems.push(`${name}: console: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => problems.push(`${name}: script: ${error.message}`));
  for (const step of steps) {
    problems.push(...(await step(page)).map((problem) => `${name}: ${problem}`));
  }
  await page.close();
}

if (options.out) {
  mkdirSync(options.out, { recursive: true });
}
const browser = await launchChromium();
const open = async (page) => { await page.goto(pageUrl(0)); return []; };
try {
  for (const colorScheme of colorSchemes) {
    for (const width of widths) {
      const name = `${width}-${colorScheme}`;
      const takePicture = async (page) => { await screenshot(page, name); return []; };
      await check(browser, name, { viewport: { width, height: 800 }, colorScheme },
        [open, checkAccessibility, checkOverflow, takePicture, checkKeyboard]);
    }
  }
  await check(browser, `${narrowest}`, { viewport: { width: narrowest, height: 800 } }, [open, checkOverflow]);
  for (const width of widths) {
    await check(browser, `refresh at ${width}`, { viewport: { width, height: 600 } }, [checkRefresh]);
  }
  await check(browser, 'lost', { viewport: { width: widths[0], height: 600 } }, [checkLostExporter]);
  await check(browser, 'print', { viewport: { width: 680, height: 960 }, colorScheme: 'dark' }, [open, checkPrint]);
  problems.push(...await checkWithoutScripts(browser));
} finally {
  await browser.close();
}
for (const problem of problems) {
  console.error(problem);
}
process.exitCode = problems.length > 0 ? 1 : 0;
