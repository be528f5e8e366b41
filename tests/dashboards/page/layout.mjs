// Grafana's grid: 24 columns, rows of 30 pixels, margins of 8 pixels.

export const PAGE_PADDING = 16;
export const HEADER_HEIGHT = 40;
const COLUMNS = 24;
const ROW_HEIGHT = 30;
const MARGIN = 8;

const bottom = (panels) => Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));

/** Returns all panels in one list, with the panels of collapsed rows below their row. */
export function expandRows(panels) {
  const expanded = [];
  let shift = 0;
  const add = (panel, offset) =>
    expanded.push({ ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + offset } });
  for (const panel of [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x)) {
    add(panel, shift);
    const hidden = panel.type === 'row' && panel.collapsed ? panel.panels : [];
    if (hidden.length === 0) continue;
    const top = Math.min(...hidden.map(({ gridPos }) => gridPos.y));
    const first = panel.gridPos.y + shift + 1;
    for (const child of hidden) add(child, first - top);
    shift += bottom(hidden) - top;
  }
  return expanded;
}

/** Returns the height of a page with all panels of a dashboard in pixels. */
export const pageHeight = ({ panels }) =>
  2 * PAGE_PADDING + HEADER_HEIGHT + bottom(expandRows(panels)) * (ROW_HEIGHT + MARGIN);

/** Returns the position and size of a panel in pixels. */
export function boxOf({ x, y, w, h }, pageWidth) {
  const column = (pageWidth - MARGIN * (COLUMNS - 1)) / COLUMNS;
  return {
    left: Math.round(x * (column + MARGIN)),
    top: y * (ROW_HEIGHT + MARGIN),
    width: Math.round(w * column + (w - 1) * MARGIN),
    height: h * ROW_HEIGHT + (h - 1) * MARGIN,
  };
}
