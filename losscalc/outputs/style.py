"""The style of pages and fragments: light or dark as the reader has it, and fit for paper."""

FRAGMENT_STYLE = """
.losscalc { --line: #d0d7de; --soft: #57606a; --fill: #f6f8fa; --mark: #0969da; --bar: #54aeff;
  --mean: #cf222e; --median: #1a7f37; font: 15px/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .losscalc { --line: #3d444d; --soft: #9198a1; --fill: #151b23;
  --mark: #4493f8; --bar: #1f6feb; --mean: #f85149; --median: #3fb950; } }
.losscalc table { border-collapse: collapse; margin: 1.2em 0; font-variant-numeric: tabular-nums; }
.losscalc caption { text-align: left; font-weight: 600; padding-bottom: .35em; }
.losscalc th, .losscalc td { padding: .25em .8em; border-top: 1px solid var(--line); text-align: left;
  vertical-align: top; }
.losscalc thead th, .losscalc thead td { color: var(--soft); font-weight: 500; border-top: 0; }
.losscalc tbody th { color: var(--soft); font-weight: 400; }
.losscalc .number { text-align: right; white-space: nowrap; }
.losscalc .bar { min-width: 12em; }
.losscalc .bar i { display: block; height: 1em; margin-top: .25em; background: var(--bar); }
"""

PAGE_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; color: #1f2328; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3; } }
main { max-width: 60em; margin: 0 auto; padding: 1.5em 1.2em 4em; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5em; margin: 0 0 .4em; }
@media print { body { background: #fff; color: #000; } main { max-width: none; padding: 0; }
  table, svg, figure { break-inside: avoid; } }
"""
