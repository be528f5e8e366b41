import { renderTextPanelMarkdown } from '@grafana/data';

function Text({ panel, height }) {
  const { mode, content } = panel.options;
  if (mode !== 'markdown') throw new Error(`text of mode "${mode}" cannot be drawn: add it to page/panels/text.jsx`);
  const html = renderTextPanelMarkdown(panel.context.replaceVariables(content));
  return (
    <div className="markdown-html" style={{ height, overflow: 'auto' }} dangerouslySetInnerHTML={{ __html: html }} />
  );
}

export const text = {
  options: { mode: 'markdown', content: '' },
  fieldConfig: { custom: {} },
  Component: Text,
  hasNoData: true,
  check: (element) => {
    const box = element.querySelector('.markdown-html');
    return box.scrollHeight > box.clientHeight + 1 ? ['text is cut: it needs scrolling'] : [];
  },
};
