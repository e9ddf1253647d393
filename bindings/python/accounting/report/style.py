"""The style sheet of the report: light and dark, phone, desk and paper."""

__all__ = ["STYLE"]

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --edge: #e1e5ea; --ink: #1a212b; --soft: #566171;
  --bar: #2a6bd1; --bar-hover: #17479a; --grid: #e6e9ee; --axis: #97a1ae; --warn: #a35200;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1b212a; --edge: #2e3743; --ink: #e8ecf2; --soft: #a3afbe;
    --bar: #6ea3f5; --bar-hover: #a9c9ff; --grid: #2b333f; --axis: #6b7787; --warn: #f0a75a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans",
    "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1080px; margin: 0 auto; padding: 32px 16px 48px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; line-height: 1.3; margin: 0; }
p { margin: 0; }
.period, .about, small { color: var(--soft); }
.period { font-size: 17px; }
.summary { margin-top: 16px; max-width: 70ch; overflow-wrap: anywhere; }
.about { font-size: 14px; margin: 2px 0 12px; max-width: 75ch; }
.card {
  background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 18px 20px;
}
.tiles {
  display: grid; gap: 12px; margin: 20px 0 16px; padding: 0;
  grid-template-columns: repeat(auto-fit, minmax(180px, 1fr));
}
.tiles dt { font-size: 14px; color: var(--soft); }
.tiles dd { margin: 0; }
.tiles .number { font-size: 28px; font-weight: 650; line-height: 1.25; }
.tiles .note { font-size: 14px; color: var(--soft); }
.tiles .warn .number { color: var(--warn); }
section { margin-top: 16px; }
.pair { display: grid; gap: 16px; grid-template-columns: 1fr; margin-top: 16px; }
.pair section { margin-top: 0; min-width: 0; }
.chart { width: 100%; height: auto; display: none; }
.narrow { display: block; }
@media (min-width: 600px) { .narrow { display: none; } .medium { display: block; } }
@media (min-width: 900px) {
  .medium { display: none; } .wide { display: block; }
  .pair { grid-template-columns: 1fr 1fr; }
}
.grid { stroke: var(--grid); }
.axis { stroke: var(--axis); }
.tick { fill: var(--soft); font-size: 12px; }
.peak { fill: var(--ink); font-size: 13px; font-weight: 600; }
.column, .fill { fill: var(--bar); }
.column:hover { fill: var(--bar-hover); }
table { width: 100%; border-collapse: collapse; font-size: 15px; }
th, td { padding: 6px 0; text-align: left; vertical-align: top; font-weight: 400; }
thead th { color: var(--soft); font-size: 13px; border-bottom: 1px solid var(--edge); }
tbody tr + tr > * { border-top: 1px solid var(--grid); }
tfoot > tr > * { border-top: 1px solid var(--axis); font-weight: 600; }
.number-cell { text-align: right; white-space: nowrap; padding-left: 16px; width: 1%; }
.number-cell wbr { display: none; }
.name { overflow-wrap: anywhere; }
.name small { display: block; font-size: 13px; line-height: 1.3; }
.bar { display: block; width: 100%; height: 8px; margin-top: 4px; }
details { margin-top: 10px; font-size: 15px; }
summary { cursor: pointer; color: var(--soft); }
details table { margin-top: 8px; max-width: 420px; }
footer { margin-top: 24px; font-size: 14px; color: var(--soft); max-width: 80ch; }
@media (max-width: 599px) {
  main { padding: 20px 12px 32px; }
  .card { padding: 14px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; }
  .tiles .number { font-size: 22px; }
  .number-cell:not(.share) { white-space: normal; width: auto; }
  .number-cell wbr { display: inline; }
  .tiles > :last-child:nth-child(odd) { grid-column: span 2; }
}
@media print {
  body { background: none; } .card { break-inside: avoid; } details { display: none; }
}
""".strip()
