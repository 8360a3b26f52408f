"""python -m losscalc."""

from losscalc.cli import main

main()
