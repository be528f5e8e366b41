// One panel: from query results to Grafana's component.
import {
  EventBusSrv,
  applyFieldOverrides,
  cacheFieldDisplayNames,
  fieldMatchers,
  formattedValueToString,
  getFieldDisplayName,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';
import { PanelChrome, PanelContextProvider } from '@grafana/ui';
import { Component } from 'react';
import { firstValueFrom } from 'rxjs';
import { fieldConfigOf } from './field_config.mjs';
import { framesOf } from './frames.mjs';
import { panelType } from './panels/index.mjs';

// Some transformers have two names, some names are of one transformer.
const transformers = new Map(Object.values(standardTransformers).map((transformer) => [transformer.id, transformer]));
standardTransformersRegistry.setInit(() =>
  [...transformers].map(([id, transformer]) => ({
    id,
    name: transformer.name,
    transformation: () => Promise.resolve(transformer),
  })),
);

const KEYS = new Set([
  'datasource',
  'description',
  'fieldConfig',
  'gridPos',
  'id',
  'links',
  'options',
  'pluginVersion',
  'targets',
  'title',
  'transformations',
  'transparent',
  'type',
]);

/** Throws if a panel has something that is not drawn as Grafana would draw it. */
function checkNames({ transformations = [], fieldConfig, ...panel }) {
  const unknown = Object.keys(panel).find((key) => !KEYS.has(key));
  if (unknown) throw new Error(`property "${unknown}" of a panel is unknown: add it to page/panel.jsx`);
  for (const { id } of transformations) {
    if (!standardTransformersRegistry.getIfExists(id)) throw new Error(`@grafana/data has no transformation "${id}"`);
  }
  for (const { matcher } of fieldConfig?.overrides ?? []) {
    if (!fieldMatchers.getIfExists(matcher.id)) throw new Error(`@grafana/data has no field matcher "${matcher.id}"`);
  }
}

/** Returns what the component of a panel needs. */
export async function preparePanel(panel, results, context, theme) {
  const type = panelType(panel.type);
  checkNames(panel);
  const { config, registry } = fieldConfigOf(panel, type.fieldConfig);
  const transformed = await firstValueFrom(
    transformDataFrame(panel.transformations ?? [], framesOf(results, context.step), {
      interpolate: context.replaceVariables,
    }),
  );
  const frames = applyFieldOverrides({
    data: transformed,
    fieldConfig: config,
    fieldConfigRegistry: registry,
    replaceVariables: context.replaceVariables,
    theme,
    timeZone: 'utc',
  });
  cacheFieldDisplayNames(frames);
  const errors = results.flatMap(({ refId, error }) => (error ? [`query ${refId} failed: ${error}`] : []));
  return {
    type,
    theme,
    frames,
    context,
    errors,
    fieldConfig: config,
    options: { ...type.options, ...panel.options },
    title: context.replaceVariables(panel.title),
    description: panel.description,
    displayMode: panel.transparent ? 'transparent' : 'default',
    links: (panel.links ?? []).map(({ title, url }) => ({
      href: context.replaceVariables(url, {}, 'uriencode'),
      of: `link "${title}"`,
    })),
    drawn: {},
    hasData: type.hasNoData || frames.some(({ length, fields }) => length > 0 && fields.length > 0),
  };
}

const eventBus = new EventBusSrv();

class ErrorBoundary extends Component {
  state = {};

  static getDerivedStateFromError(error) {
    return { error };
  }

  componentDidCatch(error) {
    this.props.errors.push(`exception: ${error.message}`);
  }

  render() {
    return this.state.error ? null : this.props.children;
  }
}

export function Panel({ panel, width, height }) {
  const { type, title, description, displayMode, errors, hasData, fieldConfig } = panel;
  const { Component: Body } = type;
  return (
    <PanelContextProvider value={{ eventBus, eventsScope: 'dashboard', sync: () => 0 }}>
      <PanelChrome
        padding={type.padding ?? 'md'}
        statusMessage={errors[0]}
        {...{ title, description, displayMode, width, height }}
      >
        {(innerWidth, innerHeight) =>
          hasData ? (
            <ErrorBoundary errors={errors}>
              <Body panel={panel} width={innerWidth} height={innerHeight} />
            </ErrorBoundary>
          ) : (
            <div className="no-data">{fieldConfig.defaults.noValue ?? 'No data'}</div>
          )
        }
      </PanelChrome>
    </PanelContextProvider>
  );
}

const LINKED_ROWS = 20;

/** Returns the links of the first values of each field, and of the panel, as { href, of }. */
export function linksOf({ frames, links }) {
  return [...links, ...linksOfFields(frames)];
}

function linksOfFields(frames) {
  return frames.flatMap((frame) =>
    frame.fields
      .filter(({ config }) => config.links?.length)
      .flatMap((field) => {
        const name = getFieldDisplayName(field, frame, frames);
        return field.values.slice(0, LINKED_ROWS).flatMap((value, valueRowIndex) => {
          const text = formattedValueToString(field.display(value));
          if (!text) return []; // nothing to click
          return field.getLinks({ valueRowIndex }).map(({ href, title }) => ({
            href,
            of: `link "${title}" of ${name} "${text}"`,
          }));
        });
      }),
  );
}
