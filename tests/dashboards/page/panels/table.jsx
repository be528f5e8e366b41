import { FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { defaultOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import { TableNG } from '@grafana/ui/unstable';

function Table({ panel, width, height }) {
  const { options, frames, fieldConfig, context } = panel;
  return (
    <TableNG
      data={frames[options.frameIndex]}
      noHeader={!options.showHeader}
      showTypeIcons={options.showTypeIcons}
      sortBy={options.sortBy}
      cellHeight={options.cellHeight}
      maxRowHeight={options.maxRowHeight}
      frozenColumns={options.frozenColumns?.left}
      enablePagination={options.enablePagination}
      noValue={fieldConfig.defaults.noValue}
      timeRange={context.timeRange}
      structureRev={1}
      // The checks read rows and columns outside of the visible part, too.
      enableVirtualization={false}
      {...{ width, height }}
    />
  );
}

const visibleFields = ({ fields }) => fields.filter(({ config }) => !config.custom?.hideFrom?.viz);

function checkLabels(name, field, cells) {
  const shown = [...cells];
  // Frames that are merged have no value where a query has no such label. An empty label has no text.
  for (const label of field.values.filter(Boolean)) {
    const index = shown.indexOf(label);
    if (index < 0)
      return [`label "${label}" is shown as "${formattedValueToString(field.display(label))}" in column "${name}"`];
    shown.splice(index, 1);
  }
  return [];
}

function checkTable(element, { frames, options, fieldConfig }) {
  const grid = element.querySelector('[role=grid]');
  const frame = frames[options.frameIndex];
  const fields = visibleFields(frame);
  const faults = [];
  const columns = fields.map(() => []);
  for (const cell of grid.querySelectorAll('[role=gridcell]')) {
    columns[Number(cell.ariaColIndex ?? cell.getAttribute('aria-colindex')) - 1].push(cell.textContent);
  }
  if (columns.every((cells) => cells.length === 0)) faults.push('nothing is drawn: the table has no rows');
  fields.forEach((field, index) => {
    const name = getFieldDisplayName(field, frame, frames);
    const { mappings, custom } = field.config;
    const isLabel = field.type === FieldType.string && !mappings?.length && custom.cellOptions.type !== 'data-links';
    if (isLabel) faults.push(...checkLabels(name, field, columns[index]));
    const noValue = field.config.noValue ?? fieldConfig.defaults.noValue;
    if (/\w/.test(noValue ?? '') && columns[index].includes(noValue)) {
      faults.push(`noValue "${noValue}" fills empty cells of column "${name}"`);
    }
  });
  if (grid.scrollWidth > grid.clientWidth + 1) {
    const { right } = grid.getBoundingClientRect();
    const outside = [...grid.querySelectorAll('[role=columnheader]')]
      .filter((header) => header.getBoundingClientRect().right > right + 1)
      .map((header) => header.textContent);
    faults.push(`columns need horizontal scrolling: ${outside.join(', ')}`);
  }
  return faults;
}

export const table = {
  options: defaultOptions,
  fieldConfig: {
    color: { mode: 'thresholds' },
    custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: false },
  },
  padding: 'none',
  Component: Table,
  check: checkTable,
};
