"""Fuzz the readers of files, guided by what they execute.

    pip install '.[fuzz]' && python tests/fuzz/readers.py -max_total_time=600

The arguments are those of libFuzzer. The first byte of an input chooses the format; what is found
belongs into the table of tests/test_fuzz.py.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
with atheris.instrument_imports(include=["losscalc"]):
    # Otherwise imported at the first input, and not instrumented.
    import losscalc.inputs.arrow
    import losscalc.inputs.csv
    import losscalc.inputs.ipc
    import losscalc.inputs.json
    import losscalc.inputs.npy
    import losscalc.inputs.npz
    import losscalc.inputs.parquet
    import losscalc.inputs.safetensors
    import losscalc.inputs.torchfile  # noqa: F401
    from tests.fuzz.harness import COMPRESSORS, READERS, SEEDS, judge, judge_compressed

CHOICES = [*READERS, *COMPRESSORS]


def one_input(data: bytes) -> None:
    """Judge one input."""
    choice = CHOICES[data[0] % len(CHOICES)] if data else "csv"
    (judge if choice in READERS else judge_compressed)(choice, data[1:])


def main() -> None:
    """Fuzz until something is found, beginning with valid files."""
    corpus = Path(sys.argv[0]).parent / "corpus"
    if not any(not argument.startswith("-") for argument in sys.argv[1:]):
        corpus.mkdir(exist_ok=True)
        for number, choice in enumerate(CHOICES):
            seeds = SEEDS.get(choice) or [COMPRESSORS[choice].compress(SEEDS["csv"][0])]
            for i, seed in enumerate(seeds):
                (corpus / f"seed-{number}-{i}").write_bytes(bytes([number]) + seed)
        sys.argv.append(str(corpus))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
