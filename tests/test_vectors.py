"""Golden values: calls that PyTorch executed, repeated with losscalc.

`data/vectors.txt` holds the calls as PyTorch takes them and what it returned. They run here against a
stand-in for `torch` that computes with losscalc. Where losscalc gives something else on purpose, the table
`DEVIATIONS` says what, and why.
"""

import re
from collections.abc import Callable, Iterator
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc.operation import lookup, parameters

PATH = Path(__file__).parent / "data" / "vectors.txt"
LINE = re.compile(r"(?P<id>[A-Z0-9]+-\d\d)(?: !W-(?P<warning>\w+))?  (?P<call>.+?)  =>  (?P<result>.+)")
RAISES = re.compile(r"raises (\w+): (.*)")
TOLERANCE = {"float64": 1e-12, "float32": 2e-6, "float16": 0.0}

Outcome = Any
"""What a call came to: a number, nested lists of numbers, a word, a dtype, or the class of an error."""


class Vector(NamedTuple):
    """One executed call: what it is called, what it was computed from, and what PyTorch made of it."""

    id: str
    call: str
    result: str
    warning: str | None
    lets: tuple[tuple[str, str], ...]

    @property
    def torch(self) -> Outcome:
        """What PyTorch returned, or LosscalcError where PyTorch raised."""
        if RAISES.fullmatch(self.result):
            return losscalc.LosscalcError
        return eval(self.result, {"__builtins__": {}}, {"inf": inf, "nan": nan, "torch": DTYPES})

    def run(self, **options: Any) -> Outcome:
        """What losscalc makes of the call: its value, or the error that it raised."""
        names = namespace(**options)
        for name, expression in self.lets:
            names[name] = eval(expression, {"__builtins__": {}}, names)
        try:
            return eval(self.call, {"__builtins__": {}}, names)
        except losscalc.LosscalcError as error:
            return error


class Deviation(NamedTuple):
    """What losscalc gives instead of what PyTorch gives, and the reason."""

    result: Outcome
    reason: str


class Tensor(np.ndarray):
    """An array with the few methods of a tensor that the calls use."""

    def half(self) -> "Tensor":
        """As float16."""
        return self.astype(np.float16)

    def float(self) -> "Tensor":
        """As float32."""
        return self.astype(np.float32)

    def int(self) -> "Tensor":
        """As int32."""
        return self.astype(np.int32)

    def to(self, dtype: np.dtype) -> "Tensor":
        """As that dtype."""
        return self.astype(dtype)


class Module:
    """A module of torch.nn: a loss whose reduction is settled before the arrays are there."""

    def __init__(self, name: str, **options: Any) -> None:
        self._name, self._options = name, options
        # What is wrong with a parameter shows before there are arrays.
        cls = lookup(name)
        cls(**{p.name: options[p.name] for p in parameters(cls) if p.name in options})

    def __call__(self, *arrays: np.ndarray) -> Outcome:
        return losscalc.compute(self._name, *arrays, **self._options)

    @property
    def reduction(self) -> str:
        """The reduction, as it shows in the value of the differences 1 and 5."""
        value = self([0.0, 0.0], [1.0, 5.0])
        return "none" if np.ndim(value) else {3.0: "mean", 6.0: "sum"}[float(value)]


class Modules:
    """torch.nn: a module for any name, known to losscalc or not."""

    def __getattr__(self, name: str) -> Callable[..., Module]:
        return lambda **options: Module(name, **options)


class Functions:
    """torch.nn.functional: a function for any name, with the same further options in each call."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __getattr__(self, name: str) -> Callable[..., Outcome]:
        return lambda *arrays, **named: losscalc.compute(name, *arrays, **named, **self._options)


def tensor(values: Any, dtype: Any = None) -> Tensor:
    """An array that has the methods of a tensor."""
    return np.array(values, dtype=dtype).view(Tensor)


def zeros(*shape: int, dtype: Any = np.float64) -> Tensor:
    """Zeros of a shape."""
    return np.zeros(shape, dtype).view(Tensor)


DTYPES = SimpleNamespace(**{name: np.dtype(name) for name in ("float32", "float64", "int64", "uint8")})
TORCH = SimpleNamespace(
    **vars(DTYPES),
    tensor=tensor,
    zeros=zeros,
    sigmoid=lambda x: losscalc.compute("sigmoid", x).view(Tensor),
    softmax=lambda x, dim: losscalc.compute("softmax", x, dim=dim).view(Tensor),
    log_softmax=lambda x, dim: losscalc.compute("log_softmax", x, dim=dim).view(Tensor),
)


def namespace(**options: Any) -> dict[str, Any]:
    """The names that the calls use; further options go to every function of `F`."""
    return {
        "T": lambda values: tensor(values, np.float64),
        "S": lambda values: tensor(values, np.float32),
        "I": lambda values: tensor(values, np.int64),
        "Z": zeros,
        "F": Functions(**options),
        "nn": Modules(),
        "torch": TORCH,
        "inf": inf,
        "nan": nan,
    }


def parse(text: str) -> Iterator[Vector]:
    """The vectors of a file; a line that is no vector, no `let`, no comment and not blank is an error."""
    lets: list[tuple[str, str]] = []
    for line in text.splitlines():
        if not line:
            lets = []
        elif line.startswith("let "):
            name, _, expression = line.removeprefix("let ").partition(" = ")
            lets.append((name, expression))
        elif not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, f"not a vector: {line}"
            yield Vector(match["id"], match["call"], match["result"], match["warning"], tuple(lets))


VECTORS = {vector.id: vector for vector in parse(PATH.read_text(encoding="utf-8"))}

BROADCAST = "input and target broadcast only when broadcast=True asks for it"
WHOLE = "whole numbers are taken, as float64"
INDEX = "class indices may have any integral dtype, and be integral floats"
MIXED = "dtypes may differ; the result has the floating dtype of the input"
LIMIT = "an infinite logit gives the limit, not inf - inf or 0·inf"
TAIL = "the value to 50 digits; PyTorch loses it to cancellation"
NEGATIVE = "a negative weight is refused"
SMOOTHING = "a label smoothing below 0 is refused, not ignored"

INFINITE = "an infinite parameter is refused"
SIGN = "labels other than 1 and -1 are refused"

DEVIATIONS = {
    "RED-10": Deviation(losscalc.ParameterError, "elementwise_mean went out of use in 2018"),
    "L1-10": Deviation(losscalc.ShapeError, BROADCAST),
    "L1-11": Deviation(losscalc.ShapeError, BROADCAST),
    "L1-13": Deviation(losscalc.ShapeError, BROADCAST),
    "L1-18": Deviation(2.5, WHOLE),
    "L1-19": Deviation(losscalc.DTypeError, "complex numbers are refused"),
    "MSE-07": Deviation(losscalc.ShapeError, BROADCAST),
    "MSE-08": Deviation(losscalc.ShapeError, BROADCAST),
    "MSE-11": Deviation(6.5, WHOLE),
    "BCE-25": Deviation(0.10536054521799088, MIXED),
    "BCE-26": Deviation(0.10536051565782628, WHOLE),
    # x → ∞ with y = 1 and x → -∞ with y = 0 are right answers of boundless confidence: the loss tends to 0.
    # The wrong ones cost |x|, which grows without bound; so does half of it, for y = 0.5.
    "BCEL-04": Deviation([0.0, 0.0, inf, inf], LIMIT),
    "BCEL-05": Deviation([inf, inf], LIMIT),
    "BCEL-06": Deviation([0.0, 0.0, inf, inf], LIMIT),
    # log1p(exp(-40)) and log1p(exp(-30)), whichever the label.
    "BCEL-11": Deviation(
        [4.248354255291589e-18, 4.248354255291589e-18, 9.357622968839737e-14, 9.357622968839737e-14], TAIL
    ),
    # log1p(exp(-15)) and log1p(exp(-17)).
    "BCEL-12": Deviation(
        [3.059022737137205e-07, 3.059022737137205e-07, 4.139937633089748e-08, 4.139937633089748e-08], TAIL
    ),
    # The last: σ(-100) in float32 is the subnormal 27·2^-149, and its logarithm is above the clamp at -100.
    "BCEL-13": Deviation([100.0, 40.0, 100.0, 99.98309303742752], "float32 has numbers down to 2^-149"),
    "BCEL-26": Deviation(losscalc.DomainError, NEGATIVE),
    "BCEL-27": Deviation(
        [
            [0.253856022085945, 0.3132616875182228, 0.9481539683602134],
            [0.6931471805599453, 0.6265233750364457, 6.097174703147484],
        ],
        "a pos_weight may be a plain number; the value is that of BCEL-18",
    ),
    "BCEL-36": Deviation(np.dtype(np.float32), MIXED),
    "BCEL-37": Deviation(np.dtype(np.float64), MIXED),
    "BCEL-38": Deviation(0.1269280110429725, WHOLE),
    "BCEL-39": Deviation(0.1269280110429725, "truth values are taken as labels"),
    "BCEL-40": Deviation(0.1269280110429725, WHOLE),
    "SL1-08": Deviation(losscalc.ParameterError, INFINITE),
    "SL1-10": Deviation(losscalc.ShapeError, BROADCAST),
    "HUB-10": Deviation(losscalc.ParameterError, INFINITE),
    "HE-05": Deviation(losscalc.DomainError, SIGN),
    "HE-06": Deviation(losscalc.ShapeError, BROADCAST),
    # ln(1 + exp(710)) is 710 and a little less than 1e-308; ln(1 + exp(89)) in float32 is 89.
    "SM-04": Deviation([700.0, 709.0, 710.0, 1000.0, 0.0], "it does not overflow"),
    "SM-05": Deviation([88.0, 89.0], "it does not overflow"),
    "SM-06": Deviation(losscalc.DomainError, SIGN),
    "CE-23": Deviation(losscalc.ParameterError, SMOOTHING),
    "CE-27": Deviation(losscalc.DomainError, NEGATIVE),
    "CE-50": Deviation(losscalc.ParameterError, SMOOTHING),
    "CEX-05": Deviation(0.5586880908895919, INDEX),
    "CEX-06": Deviation(0.5586880908895919, INDEX),
    "CEX-12": Deviation(0.5190614334082428, MIXED),
    "CEX-13": Deviation(
        0.5076059644443804, "one sample may have a target of shape (1,) with label smoothing too"
    ),
    # A score that grows without bound leaves the others no probability.
    "CEX-24": Deviation(0.0, LIMIT),
    # The class without probability has no share of the target either: log 2 is left, of two equal scores.
    "CEX-25": Deviation(0.6931471805599453, LIMIT),
    # log1p(exp(-17)).
    "CEX-32": Deviation(4.139937633089748e-08, TAIL),
    "CEX-33": Deviation(4.139937633089748e-08, TAIL),
    "NLL-12": Deviation(0.2, INDEX),
    "NLL-24": Deviation(losscalc.UnknownLossError, "NLLLoss2d is an alias that PyTorch is about to drop"),
}


def plain(outcome: Outcome) -> Outcome:
    """An outcome as the file writes it: lists of numbers, and classes for errors."""
    if isinstance(outcome, losscalc.LosscalcError):
        return type(outcome)
    return outcome.tolist() if isinstance(outcome, np.ndarray | np.generic) else outcome


def agree(outcome: Outcome, expected: Outcome, rtol: float) -> bool:
    """Whether two outcomes are the same: NaN like NaN, shapes equal, errors of the class expected."""
    if any(isinstance(one, type | str | np.dtype) for one in (outcome, expected)):
        both = isinstance(outcome, type) and isinstance(expected, type)
        return issubclass(outcome, expected) if both else bool(outcome == expected)
    if np.shape(outcome) != np.shape(expected):
        return False
    return bool(np.allclose(outcome, expected, rtol=rtol, atol=0.0, equal_nan=True))


def tolerance(outcome: Outcome) -> float:
    """How far the values of an outcome may be from what was written down, relatively."""
    return TOLERANCE[str(outcome.dtype)] if isinstance(outcome, np.ndarray | np.generic) else 0.0


@pytest.mark.parametrize("id", VECTORS)
@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
def test_vector(id: str) -> None:
    """A call gives PyTorch's value, or what the table of deviations says, and never -0.0."""
    vector = VECTORS[id]
    expected = DEVIATIONS[id].result if id in DEVIATIONS else vector.torch
    outcome = vector.run()
    assert agree(plain(outcome), expected, tolerance(outcome)), f"{vector.call} gives {outcome!r}"
    if isinstance(outcome, np.ndarray | np.generic):
        assert not np.any((np.asarray(outcome) == 0) & np.signbit(outcome)), "-0.0"


@pytest.mark.parametrize("id", [v.id for v in VECTORS.values() if v.warning == "size"])
def test_vector_broadcast(id: str) -> None:
    """Where PyTorch warns that sizes differ, broadcast=True gives its value."""
    outcome = VECTORS[id].run(broadcast=True)
    assert agree(plain(outcome), VECTORS[id].torch, tolerance(outcome))


@pytest.mark.parametrize("id", [v.id for v in VECTORS.values() if v.warning == "legacy"])
def test_vector_legacy(id: str) -> None:
    """Where PyTorch warns of size_average and reduce, losscalc does so too."""
    with pytest.warns(losscalc.LosscalcWarning, match="size_average and reduce"):
        VECTORS[id].run()


def test_vectors_are_complete() -> None:
    """Every line of the file is a vector with an id of its own, and no number of a table is missing."""
    listed = [vector.id for vector in parse(PATH.read_text(encoding="utf-8"))]
    assert len(listed) == len(set(listed)) == 292
    tables = {name: [key for key in listed if key.startswith(f"{name}-")] for name in COMPLETE}
    assert tables == {name: [f"{name}-{n:02}" for n in range(1, last + 1)] for name, last in COMPLETE.items()}
    assert set(COMPLETE) | {"RED", "XC"} == {key.partition("-")[0] for key in listed}


COMPLETE = {
    "L1": 20, "MSE": 13, "SL1": 11, "HUB": 14, "HE": 10, "SM": 10, "BCE": 28,
    "BCEL": 45, "CE": 50, "CEX": 40, "NLL": 24, "LS": 3,
}  # fmt: skip
"""The tables that are here in full, with the number of their last vector."""


@pytest.mark.parametrize("id", DEVIATIONS)
@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
def test_deviation_is_one(id: str) -> None:
    """An entry of the table belongs to a vector, has a reason, and differs from what PyTorch gives."""
    deviation = DEVIATIONS[id]
    assert deviation.reason
    if VECTORS[id].torch is losscalc.LosscalcError:
        assert not isinstance(deviation.result, type), "PyTorch raises here too"
    else:
        assert not agree(deviation.result, VECTORS[id].torch, tolerance(VECTORS[id].run())), (
            "this is PyTorch's value"
        )


def test_names_are_few() -> None:
    """The calls see the names that they need, and no builtins."""
    with pytest.raises(NameError):
        Vector("X-01", "open('x')", "0.0", None, ()).run()
