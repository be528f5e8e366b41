// Style sheet and script of the status page, which are part of its HTML.
#pragma once

#include <string_view>

namespace inetdiag::diagnosis {

// The layout does not depend on the data: columns have fixed widths, long names wrap, and a table
// becomes a list on a narrow screen instead of scrolling.
inline constexpr std::string_view status_page_style = R"(
:root { color-scheme: light;
  --text: #1a1d21; --faint: #565e6b; --back: #ffffff; --card: #f4f5f7; --line: #d9dce1;
  --track: #dfe2e7; --critical: #b3151b; --warning: #8a5a00; --notice: #0b5cad; --fine: #1a7032; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark;
  --text: #e8eaed; --faint: #a3abb8; --back: #15181c; --card: #1f242a; --line: #373e47;
  --track: #373e47; --critical: #ff8a80; --warning: #f2c14e; --notice: #82b8ff; --fine: #7fd18b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 1rem 1.5rem; background: var(--back);
  color: var(--text); font: 1rem/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 .4rem; }
a { color: var(--notice); }
a:focus-visible { outline: .15rem solid currentColor; outline-offset: .15rem; border-radius: .1rem; }
p { margin: .3rem 0; }
header, footer, caption, .faint { color: var(--faint); }
header h1 { color: var(--text); }
header span { margin-right: 1.2rem; font-variant-numeric: tabular-nums; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.verdict { font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; }
.critical .severity, .verdict.critical { color: var(--critical); }
.warning .severity, .verdict.warning { color: var(--warning); }
.notice .severity, .verdict.notice { color: var(--notice); }
.verdict.fine { color: var(--fine); }
.findings { list-style: none; margin: 0; padding: 0; }
.findings > li { background: var(--card); border-left: .3rem solid var(--notice);
  border-radius: .3rem; margin: .6rem 0; padding: .6rem .9rem; overflow-wrap: anywhere; }
.findings > .critical { border-color: var(--critical); }
.findings > .warning { border-color: var(--warning); }
.findings h3 { font-size: 1rem; margin: 0; }
.severity { text-transform: uppercase; font-size: .8rem; letter-spacing: .04em; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .9rem; margin: .5rem 0 0; }
dt { color: var(--faint); } dd { margin: 0; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; }
caption { text-align: left; font-size: .9rem; padding-bottom: .4rem; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .8rem .35rem 0; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
th { font-weight: 500; }
thead th { color: var(--faint); font-size: .85rem; vertical-align: bottom; }
.number { text-align: right; padding-right: 0; }
td.number { white-space: nowrap; }
.collectors { max-width: 48rem; }
.accept { width: 13rem; } .recent { width: 13rem; } .syn { width: 9rem; } .origin { width: 8.5rem; }
.drops { width: 5.5rem; } .usage { width: 21rem; } .collector { width: 12rem; }
.duration { width: 7rem; }
.sparkline + span { white-space: nowrap; }
meter { appearance: none; width: 5rem; height: 1rem; margin-right: .5rem; border: 0;
  vertical-align: text-bottom; }
meter::-webkit-meter-bar { background: var(--track); border: 0; border-radius: .25rem; }
meter::-webkit-meter-optimum-value { background: var(--fine); }
meter::-webkit-meter-suboptimum-value { background: var(--warning); }
meter::-webkit-meter-even-less-good-value { background: var(--critical); }
@supports (-moz-appearance: none) {
  meter { height: .5rem; vertical-align: baseline; background: var(--track); }
  meter::-moz-meter-bar { background: var(--fine); }
  meter:-moz-meter-sub-optimum::-moz-meter-bar { background: var(--warning); }
  meter:-moz-meter-sub-sub-optimum::-moz-meter-bar { background: var(--critical); }
}
.sparkline { width: 5.5rem; height: 1.25rem; margin-right: .5rem; vertical-align: bottom;
  fill: currentColor; }
.sparkline .limit { stroke: currentColor; stroke-dasharray: 2 2; opacity: .6; }
.sparkline .full { fill: var(--critical); }
#stale { position: fixed; left: 1rem; right: 1rem; bottom: 1rem; max-width: 36rem; margin: 0 0 0 auto;
  border-radius: .3rem; }
#stale:not(:empty) { padding: .6rem .9rem; color: var(--back); background: var(--critical); }
footer { margin-top: 2rem; font-size: .9rem; }
@media (max-width: 64rem) {
  table { font-size: .9rem; }
  th, td { padding-right: .6rem; }
  .accept { width: 6rem; } .recent { width: 6rem; } .syn { width: 4.5rem; }
  .origin { width: 5.8rem; } .drops { width: 4.2rem; } .usage { width: 16rem; }
  .listeners meter { display: block; width: 100%; max-width: 5rem;
    margin: .15rem 0; }
  .sparkline { display: block; width: 100%; margin: 0; }
}
@media screen and (max-width: 47.9rem) {
  body { padding: .8rem; }
  header span { display: block; margin: 0; }
  .listeners thead, .limits thead { position: absolute; clip-path: inset(50%); }
  .listeners, .listeners caption, .limits, .limits caption, .listeners tbody, .limits tbody,
  .listeners tr, .limits tr, .listeners tbody th, .listeners td, .limits tbody th, .limits td {
    display: block; width: auto; }
  .listeners tr, .limits tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  .listeners th, .listeners td, .limits th, .limits td { border: 0; padding: .1rem 0;
    text-align: left; }
  .listeners tbody th, .limits tbody th { font-weight: 600; }
  .listeners td, .limits td { display: grid; grid-template-columns: 8rem 1fr; }
  .limits td { grid-template-columns: 4rem 1fr; }
  .listeners td::before, .limits td::before { content: attr(data-label); color: var(--faint); }
  .listeners td:empty { display: none; }
  table { font-size: 1rem; }
  .listeners meter, .sparkline { display: inline-block; width: 5.5rem; max-width: none;
    margin: 0 .5rem 0 0; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .3rem; }
  .collector { width: 8rem; } .duration { width: 5.5rem; }
}
@media print {
  :root { --text: #000; --faint: #333; --line: #999; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .screen { display: none; }
  h2, h3, caption { break-after: avoid; }
  .findings > li, tr { break-inside: avoid; }
  a { color: inherit; text-decoration: none; }
  meter, .sparkline, .findings > li { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  meter::-webkit-meter-bar { outline: 1px solid var(--line); }
}
)";

// Changes only what differs, so that scroll position, focus and selection remain. A page without
// this style sheet comes from another version, or from a proxy that asks for a password.
inline constexpr std::string_view status_page_script = R"(
{
  const seconds = Number(document.currentScript.dataset.seconds);
  const update = (node, fresh) => {
    if (node.isEqualNode(fresh)) return;
    if (node.nodeName !== fresh.nodeName) {
      node.replaceWith(fresh);
    } else if (node.nodeType !== Node.ELEMENT_NODE) {
      node.data = fresh.data;
    } else {
      for (const name of node.getAttributeNames())
        if (!fresh.hasAttribute(name)) node.removeAttribute(name);
      for (const { name, value } of fresh.attributes)
        if (node.getAttribute(name) !== value) node.setAttribute(name, value);
      const children = [...fresh.childNodes];
      while (node.childNodes.length > children.length) node.lastChild.remove();
      children.forEach((child, i) =>
        i < node.childNodes.length ? update(node.childNodes[i], child) : node.append(child));
    }
  };
  const refresh = async () => {
    try {
      const response = await fetch(location.origin + location.pathname + location.search,
        { cache: "no-store", signal: AbortSignal.timeout(30000) });
      if (!response.ok) throw new Error(`HTTP status ${response.status}`);
      const text = await response.text();
      if (!text.includes(document.querySelector("style").textContent)) return location.reload();
      // The Content-Security-Policy of this document does not allow the nonce of another one.
      const page = new DOMParser().parseFromString(
        text.replace(/<style.*?<\/style>/s, ""), "text/html");
      document.title = page.title;
      update(document.body, page.body);
    } catch (error) {
      const message = `Not refreshed: ${error.message}. Trying again every ${seconds} s.`;
      const stale = document.getElementById("stale");
      if (stale.textContent !== message) stale.textContent = message;
    }
    setTimeout(refresh, seconds * 1000);
  };
  setTimeout(refresh, seconds * 1000);
}
)";

}  // namespace inetdiag::diagnosis
