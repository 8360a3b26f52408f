"""The style of pages and fragments: light or dark as the reader has it, and fit for paper."""

from losscalc.outputs.drawing import style

FRAGMENT_STYLE = f"""
{style(".losscalc")}
.losscalc {{ --fill: #f6f8fa; font: 15px/1.5 system-ui, sans-serif; }}
@media (prefers-color-scheme: dark) {{ .losscalc {{ --fill: #151b23; }} }}
.losscalc table {{ border-collapse: collapse; margin: 1.2em 0; font-variant-numeric: tabular-nums; }}
.losscalc caption {{ text-align: left; font-weight: 600; padding-bottom: .35em; }}
.losscalc th, .losscalc td {{ padding: .25em .8em; border-top: 1px solid var(--grid); text-align: left;
  vertical-align: baseline; }}
.losscalc caption small {{ color: var(--soft); font-weight: 400; margin-left: .8em; }}
.losscalc thead th, .losscalc thead td {{ color: var(--soft); font-weight: 500; border-top: 0; }}
.losscalc tbody th {{ color: var(--soft); font-weight: 400; white-space: nowrap; }}
.losscalc .number, .losscalc .numbers {{ text-align: right; }}
.losscalc .number, .losscalc .name {{ white-space: nowrap; }}
.losscalc .bars {{ min-width: 12em; }}
.losscalc .bars i {{ display: block; height: 1em; background: var(--bar); }}
.losscalc .formula {{ margin: 1em 0 .4em; }}
.losscalc .formula p {{ margin: .4em 0; font-size: 1.15em; }}
.losscalc math {{ math-style: normal; }}
.losscalc .legend {{ color: var(--soft); margin: 0 0 1em; }}
.losscalc .lines td {{ position: relative; }}
.losscalc tr[tabindex] {{ cursor: help; }}
.losscalc tr[tabindex]:hover, .losscalc tr[tabindex]:focus {{ background: var(--fill); outline: none; }}
.losscalc .steps {{ position: absolute; z-index: 1; top: 100%; left: .8em; visibility: hidden; margin: 0;
  padding: .5em 1em; list-style: none; background: var(--fill); border: 1px solid var(--grid);
  border-radius: 6px; white-space: nowrap; }}
.losscalc tr:hover .steps, .losscalc tr:focus .steps {{ visibility: visible; }}
.losscalc .good b {{ color: var(--median); }}
.losscalc .bad b {{ color: var(--mean); }}
.losscalc pre {{ margin: .6em 0; padding: .5em .8em; overflow-x: auto; background: var(--fill);
  border-radius: 6px; font: 13px/1.5 ui-monospace, monospace; }}
.losscalc figure {{ margin: 1.2em 0; }}
.losscalc svg {{ max-width: 100%; height: auto; }}
@media print {{ .losscalc {{ --fill: #fff; }} .losscalc caption small {{ display: none; }}
  .losscalc table, .losscalc figure {{ break-inside: auto; }}
  .losscalc tr, .losscalc svg {{ break-inside: avoid; }}
  .losscalc .steps {{ position: static; visibility: visible; border: 0; padding: .2em 0 0; color: var(--soft);
    white-space: normal; }}
  .losscalc .steps li {{ display: inline-block; margin-right: 1.2em; }} }}
"""

# A notebook has colours of its own, whatever the reader's others are, and cuts what lies over its edge.
NOTEBOOK_STYLE = """
.losscalc { --ink: currentColor; --soft: color-mix(in srgb, currentColor 66%, transparent);
  --grid: color-mix(in srgb, currentColor 20%, transparent);
  --fill: color-mix(in srgb, currentColor 7%, transparent); }
.losscalc caption small { display: none; }
.losscalc tr[tabindex] { cursor: auto; }
.losscalc.losscalc.losscalc .steps { position: static; visibility: visible; border: 0; margin: 0;
  padding: .2em 0 0; color: var(--soft); background: none; font-size: .9em; white-space: normal; }
.losscalc .steps li { display: inline-block; margin: 0 1.2em 0 0; }
.losscalc { font-size: 14px; }
.losscalc table { font-size: inherit; }
.losscalc table tr:nth-child(n), .losscalc pre code { background: none; }
.losscalc.losscalc.losscalc th, .losscalc.losscalc.losscalc td { text-align: left; max-width: none; }
.losscalc.losscalc.losscalc :is(.number, .numbers) { text-align: right; }
"""

PAGE_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; background: #fff; color: #1f2328; }
main { overflow-x: auto; max-width: 62em; margin: 0 auto; padding: 1.5em 1.2em 9em;
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5em; margin: 0 0 .4em; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3; } }
@media print { :root { color-scheme: light; } body { background: #fff; color: #000; }
  main { max-width: none; padding: 0; overflow: visible; } }
"""
