// Runs in the browser: draws a dashboard and reports what is wrong with its panels.
import { createTheme, dateTime } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles, ThemeContext } from '@grafana/ui';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { checkAny } from './checks.mjs';
import { HEADER_HEIGHT, PAGE_PADDING, boxOf, expandRows } from './layout.mjs';
import { Panel, linksOf, preparePanel } from './panel.jsx';
import { replacer } from './references.mjs';

const QUIET_FRAMES = 5;

/** Components measure themselves after their first rendering and render again: waits until nothing changes. */
async function settle() {
  let quiet = 0;
  const observer = new MutationObserver(() => (quiet = 0));
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  while (quiet++ < QUIET_FRAMES) await new Promise(requestAnimationFrame);
  observer.disconnect();
}

const valueText = ({ value }) => (value === '$__all' ? 'All' : [value].flat().join(' + '));

function Header({ dashboard, variables }) {
  return (
    <header>
      <h1>{dashboard.title}</h1>
      {Object.values(variables)
        .filter(({ hide }) => hide !== 2)
        .map((variable) => (
          <span key={variable.name}>
            <b>{variable.label}</b> {valueText(variable)}
          </span>
        ))}
    </header>
  );
}

function Dashboard({ dashboard, variables, panels }) {
  return (
    <main style={{ padding: PAGE_PADDING }}>
      <Header {...{ dashboard, variables }} />
      <div style={{ position: 'relative' }}>
        {panels.map(({ id, box, row, prepared }) => (
          <section key={id} data-panel={id} style={{ position: 'absolute', ...box }}>
            {row ? <h2>{row}</h2> : prepared && <Panel panel={prepared} width={box.width} height={box.height} />}
          </section>
        ))}
      </div>
    </main>
  );
}

function reportOf({ id, title, row, prepared, failure }, allowedEmpty) {
  if (row) return [];
  if (failure) return [{ title, faults: [failure], links: [] }];
  const element = document.querySelector(`[data-panel="${id}"]`);
  const faults = [...prepared.errors];
  const mayBeEmpty = Object.hasOwn(allowedEmpty, title);
  if (prepared.hasData) faults.push(...checkAny(element), ...prepared.type.check(element, prepared));
  else if (!mayBeEmpty) faults.push('nothing is drawn: no query has data');
  return [{ title, faults, links: linksOf(prepared) }];
}

const STYLE = `
  body { margin: 0; height: auto; }
  header { display: flex; gap: 24px; align-items: baseline; height: ${HEADER_HEIGHT}px; }
  header h1 { font-size: 18px; }
  section > h2 { font-size: 16px; line-height: 30px; margin: 0; }
  .no-data { display: flex; align-items: center; justify-content: center; height: 100%; }
`;

window.draw = async ({ dashboard, variables, range, results, annotations, themeName, allowedEmpty }) => {
  const theme = createTheme({ colors: { mode: themeName } });
  await initPluginTranslations('grafana-ui');
  const [from, to] = [range.from * 1000, range.to * 1000].map((time) => dateTime(time));
  const context = {
    timeRange: { from, to, raw: { from, to } },
    step: range.step,
    annotations,
    replaceVariables: replacer({ dashboard, variables, range }),
  };
  const width = window.innerWidth - 2 * PAGE_PADDING;
  const panels = await Promise.all(
    expandRows(dashboard.panels).map(async (panel) => {
      const { id, title, type, gridPos } = panel;
      const one = { id, title, box: boxOf(gridPos, width) };
      if (type === 'row') return { ...one, row: title };
      try {
        return { ...one, prepared: await preparePanel(panel, results[id], context, theme) };
      } catch (error) {
        return { ...one, failure: error.message };
      }
    }),
  );
  document.head.append(Object.assign(document.createElement('style'), { textContent: STYLE }));
  const root = createRoot(document.getElementById('root'));
  const render = (content) =>
    flushSync(() =>
      root.render(
        <ThemeContext.Provider value={theme}>
          <GlobalStyles />
          {content}
        </ThemeContext.Provider>,
      ),
    );
  // Components measure their texts, so the fonts come first.
  render(null);
  await Promise.all([400, 500].map((weight) => document.fonts.load(`${weight} 14px Inter`)));
  render(<Dashboard {...{ dashboard, variables, panels }} />);
  await settle();
  return panels.flatMap((panel) => reportOf(panel, allowedEmpty));
};
