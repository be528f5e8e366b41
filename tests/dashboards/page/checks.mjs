// What is wrong with a drawn panel of any type.

const isScrollable = (element, axis) => ['auto', 'scroll'].includes(getComputedStyle(element)[`overflow${axis}`]);

function isInScrollable(element, panel, axis) {
  for (let parent = element; parent !== panel; parent = parent.parentElement)
    if (isScrollable(parent, axis)) return true;
  return false;
}

function clips(element) {
  const { overflowX, webkitLineClamp } = getComputedStyle(element);
  const isTooWide = ['hidden', 'clip'].includes(overflowX) && element.scrollWidth > element.clientWidth + 1;
  const isTooHigh = webkitLineClamp !== 'none' && element.scrollHeight > element.clientHeight + 1;
  return isTooWide || isTooHigh;
}

// Texts for screen readers are one pixel wide.
const isForReaders = (element) => element.closest('.sr-only') !== null || element.clientWidth === 1;

function clippedTexts(panel) {
  const clipping = [...panel.querySelectorAll('*')].filter(
    (element) => element.textContent.trim() && !isForReaders(element) && clips(element),
  );
  return clipping.filter((element) => !clipping.some((other) => other !== element && element.contains(other)));
}

/** Elements whose text is outside of the panel. */
function overflowingTexts(panel) {
  const { left, right, bottom } = panel.getBoundingClientRect();
  const texts = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const { currentNode: node } = texts;
    const element = node.parentElement;
    if (!node.data.trim() || isForReaders(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const isOutsideX = (box.left < left - 1 || box.right > right + 1) && !isInScrollable(element, panel, 'X');
    const isOutsideY = box.bottom > bottom + 1 && !isInScrollable(element, panel, 'Y');
    if (isOutsideX || isOutsideY) found.push(element);
  }
  return found;
}

const EXAMPLES = 3;

function cutTexts(panel) {
  const elements = [...clippedTexts(panel), ...overflowingTexts(panel)];
  const texts = [...new Set(elements.map((element) => element.textContent.trim()))];
  if (texts.length === 0) return [];
  const more = texts.length > EXAMPLES ? ` and ${texts.length - EXAMPLES} more` : '';
  return [
    `text is cut: ${texts
      .slice(0, EXAMPLES)
      .map((text) => `"${text}"`)
      .join(', ')}${more}`,
  ];
}

const NOT_A_VALUE = /\b(NaN|Invalid|undefined|null)\b|\[object/;

function wrongValues(panel) {
  const texts = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (texts.nextNode()) if (NOT_A_VALUE.test(texts.currentNode.data)) found.add(texts.currentNode.data.trim());
  return [...found].map((text) => `"${text}" is shown`);
}

export const checkAny = (element) => [...cutTexts(element), ...wrongValues(element)];
