/** Style of the page: system fonts, one accent, light and dark, one column on a phone. */
export const PAGE_STYLE = `
:root {
  --ground: #f7f7f4; --panel: #ffffff; --ink: #1d2021; --soft: #595f62; --rule: #e2e2dc; --accent: #2a6f6b; --wash: #2a6f6b1f;
  --good: #2a6f6b; --odd: #8a5a00; --bad: #a5352b;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #141617; --panel: #1b1e1f; --ink: #e7e7e3; --soft: #a0a6a8; --rule: #2e3233; --accent: #74c2b8; --wash: #74c2b824;
    --good: #74c2b8; --odd: #dcae5a; --bad: #ee8b80;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
main, footer { max-width: 68rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--panel); padding: .5rem 1rem; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 2px; }
code, pre { font-family: var(--mono); font-size: .875em; overflow-wrap: anywhere; }
header { padding: clamp(2rem, 6vw, 4rem) 0 0; }
h1 { font-size: clamp(1.7rem, 4.5vw, 2.5rem); line-height: 1.15; letter-spacing: -.02em; font-weight: 650; margin: .6rem 0 .8rem; text-wrap: balance; }
h2 { font-size: 1.3rem; letter-spacing: -.01em; margin: 0 0 .25rem; font-weight: 650; }
h3 { font-size: .95rem; margin: 0; font-weight: 600; }
p { margin: 0 0 1rem; max-width: 44rem; }
main > section { border-top: 1px solid var(--rule); margin-top: 2.75rem; padding-top: 2rem; }
.lead { color: var(--soft); font-size: 1.06rem; overflow-wrap: anywhere; }
.state { display: inline-flex; align-items: center; gap: .55rem; margin: 0; font-weight: 600; font-size: .92rem; color: var(--accent); }
.state.off { color: var(--soft); }
.lamp { width: .65rem; height: .65rem; border-radius: 50%; background: currentColor; box-shadow: 0 0 0 .25rem var(--wash); }
.state.off .lamp { background: none; border: 2px solid currentColor; box-shadow: none; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1.25rem 2rem; margin: 1.75rem 0 0; }
.facts dt { color: var(--soft); font-size: .82rem; }
.facts dd { margin: .1rem 0 0; overflow-wrap: anywhere; }
.groups { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 3rem; margin-top: 1.25rem; }
.group { margin: 0 0 2rem; }
.group h3 { padding-bottom: .45rem; border-bottom: 1px solid var(--ink); }
.older { margin-bottom: 1rem; }
.older > summary { color: var(--accent); font-size: .92rem; }
.fields { margin: 0; }
.fields > div { display: flex; flex-wrap: wrap; gap: .1rem 1rem; padding: .55rem 0; border-bottom: 1px solid var(--rule); }
.fields dt code { color: var(--ink); white-space: nowrap; }
.fields dd { margin: 0; }
.fields .value { margin-left: auto; }
.value { font-family: var(--mono); font-size: .875em; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; max-width: 20rem; color: var(--accent); }
.unit, .note, .about, .size, .empty { color: var(--soft); }
.unit { font-family: system-ui, sans-serif; font-size: .85em; }
.why { color: var(--soft); font-size: .87rem; margin: .5rem 0 .1rem; }
.wide dt, .wide .value, .about { flex-basis: 100%; }
.wide .value { text-align: left; max-width: none; }
.about { font-size: .84rem; line-height: 1.45; }
.note { font-size: .87rem; font-weight: 400; }
pre { background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; padding: .9rem 1rem; margin: .75rem 0 0; white-space: pre-wrap; max-height: 24rem; overflow: auto; line-height: 1.5; }
summary { cursor: pointer; }
.raw summary { font-weight: 600; }
.raw button { font: inherit; font-size: .85rem; margin-top: .75rem; padding: .2rem .8rem; color: var(--accent); background: none; border: 1px solid var(--rule); border-radius: 999px; cursor: pointer; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 2rem 3rem; margin-top: 1.5rem; }
.chart { margin: 0; min-width: 0; }
.reading { margin: .15rem 0 .4rem; }
.reading output { font-size: 1.7rem; font-weight: 600; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.reading span { color: var(--soft); font-size: .87rem; }
.chart svg { display: block; width: 100%; height: auto; touch-action: pan-y; }
.chart figcaption { color: var(--soft); font-size: .84rem; margin-top: .2rem; }
.grid { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke: var(--accent); stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.area { fill: var(--wash); stroke: none; }
.dot { fill: var(--accent); }
.marker { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; vector-effect: non-scaling-stroke; pointer-events: none; }
.tick { fill: var(--soft); font-size: 14px; }
.tick.end { text-anchor: end; }
.tick.middle { text-anchor: middle; }
.bar { fill: var(--accent); }
.scroll { overflow-x: auto; margin: 1rem 0 1.75rem; }
.fleet { border-collapse: collapse; width: 100%; font-size: .87rem; font-variant-numeric: tabular-nums; }
.fleet caption { text-align: left; font-weight: 600; font-size: .95rem; padding-bottom: .45rem; }
.fleet th, .fleet td { text-align: left; padding: .45rem 1rem .45rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; font-weight: 400; }
.fleet thead th { color: var(--soft); font-size: .82rem; border-bottom-color: var(--ink); white-space: nowrap; }
.fleet .count { text-align: right; }
.fleet td, .fleet code { white-space: nowrap; }
.fleet th code { font-size: .92em; }
.fleet td:last-child, .fleet th:last-child { padding-right: 0; }
.fleet td time { white-space: normal; display: inline-block; max-width: 10.5rem; }
.ledger { list-style: none; margin: 1.25rem 0 1rem; padding: 0; border-top: 1px solid var(--ink); }
.ledger li { border-bottom: 1px solid var(--rule); padding: .6rem 0; }
.ledger summary { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) auto; gap: 0 1.5rem; align-items: baseline; font-variant-numeric: tabular-nums; }
.ledger summary:hover time { text-decoration: underline; text-underline-offset: .2em; }
.ledger .note { margin: .6rem 0 0; }
.size { font-size: .87rem; text-align: right; }
.good { color: var(--good); } .odd { color: var(--odd); } .bad { color: var(--bad); }
footer { margin-top: 3rem; padding-top: 1.25rem; padding-bottom: 3rem; color: var(--soft); font-size: .87rem; }
@media (max-width: 40rem) {
  .ledger summary { grid-template-columns: minmax(0, 1fr) auto; }
  .ledger summary time { grid-column: 1 / -1; }
  .fields > div { gap: 0 .75rem; padding: .45rem 0; }
  .fleet thead { position: absolute; left: -100rem; }
  .fleet, .fleet tbody, .fleet caption { display: block; }
  .fleet tr { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0 1rem; padding: .6rem 0; border-bottom: 1px solid var(--rule); }
  .fleet th[scope=row] { grid-column: 1 / -1; }
  .fleet td { display: contents; }
  .fleet td::before { content: attr(data-label); color: var(--soft); font-size: .87rem; }
  .fleet td, .fleet th { border: 0; padding: 0; text-align: left; white-space: normal; }
  .fleet .count { text-align: left; }
  .fleet td time { max-width: none; }
  .tick { font-size: 20px; }
}
@media print { .raw, .skip { display: none; } }
`;
