"""Golden values: calls that PyTorch and other libraries executed, repeated with losscalc.

`data/vectors.txt` holds the calls as PyTorch takes them and what it returned, and calls of `compute` with
what the library returned that the comment above names. They run here against a stand-in for `torch` that
computes with losscalc. Where losscalc gives something else on purpose, the table
`DEVIATIONS` says what, and why.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

import losscalc
from losscalc.core.declaration import array_arguments, parameters
from losscalc.core.registry import lookup

PATH = Path(__file__).parents[1] / "data" / "vectors.txt"
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
            names[name] = eval(expression, {"__builtins__": {}, **names})
        try:
            return eval(self.call, {"__builtins__": {}, **names})
        except losscalc.LosscalcError as error:
            return error


class Deviation(NamedTuple):
    """What losscalc gives instead of what PyTorch gives, and the reason."""

    result: Outcome
    reason: str
    rtol: float = 0.0
    """How far losscalc may be from it, where parts of a sum cancel."""


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

    def log(self) -> "Tensor":
        """The logarithm."""
        return np.log(self)

    def exp(self) -> "Tensor":
        """The exponential."""
        return np.exp(self)

    def abs(self) -> "Tensor":
        """The absolute value."""
        return np.abs(self)

    def max(self, dim: Any) -> Any:
        """The largest along an axis."""
        return SimpleNamespace(values=np.asarray(self).max(axis=dim))


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

    @staticmethod
    def LinearCrossEntropyLoss(features: int, classes: int, **options: Any) -> Outcome:  # noqa: N802
        """The module, which checks its parameters before there are arrays."""
        weight = np.zeros((classes, features))
        return losscalc.compute("linear-cross-entropy", np.zeros((1, features)), weight, [0], **options)

    @staticmethod
    def AdaptiveLogSoftmaxWithLoss(features: int, classes: int, cutoffs: list[int]) -> Outcome:  # noqa: N802
        """The module, which checks its cutoffs before there are arrays."""
        return losscalc.AdaptiveLogSoftmax(cutoffs=cutoffs)

    @staticmethod
    def GaussianNLLLoss(*options: Any) -> Outcome:  # noqa: N802
        """The module, whose parameters go by name alone."""
        try:
            return losscalc.GaussianNLL(*options)
        except TypeError as error:
            raise losscalc.ParameterError(str(error)) from error

    @staticmethod
    def LinearCrossEntropyOptions() -> None:  # noqa: N802
        """How PyTorch cuts a call into chunks."""


class Functions:
    """torch.nn.functional: a function for any name, with the same further options in each call."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __getattr__(self, name: str) -> Callable[..., Outcome]:
        def function(*arrays: Any, **named: Any) -> Outcome:
            if named.get("options", ...) is None:
                del named["options"]
            return losscalc.compute(name, *arrays, **named, **self._options)

        return function

    def triplet_margin_with_distance_loss(self, *arrays: Any, **named: Any) -> Outcome:
        """The loss, with a distance of tensors."""
        distance = named.pop("distance_function", None)
        if distance is not None:
            named["distance_function"] = lambda u, v: distance(u.view(Tensor), v.view(Tensor))
        return losscalc.compute("triplet-margin-with-distance", *arrays, **named, **self._options)

    @staticmethod
    def cosine_similarity(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The cosine of the rows of two arrays."""
        lengths = [np.maximum(np.sqrt((x * x).sum(1)), 1e-8) for x in (u, v)]
        return (u * v).sum(1) / (lengths[0] * lengths[1])


class Adaptive:
    """The module of the adaptive softmax whose weights the file describes."""

    state: ClassVar = {
        "head.weight": np.arange(12).reshape(3, 4) / 10 - 0.5,
        "tail.0.0.weight": np.arange(8).reshape(2, 4) / 10 - 0.3,
        "tail.0.1.weight": np.arange(6).reshape(3, 2) / 10 - 0.2,
    }

    def __call__(self, input: np.ndarray, target: np.ndarray) -> Any:
        single = -self._compute(input, target, "none")
        return SimpleNamespace(output=single, loss=self._compute(input, target, "mean"))

    def log_prob(self, input: np.ndarray) -> np.ndarray:
        """The log-probability of every class."""
        columns = [self._compute(input, np.full(len(input), c), "none") for c in range(5)]
        return -np.stack(columns, axis=1)

    def _compute(self, input: np.ndarray, target: np.ndarray, reduction: str) -> Outcome:
        return losscalc.compute(
            "adaptive-log-softmax", input, target, self.state, cutoffs=[2], reduction=reduction
        )


def slopes(call: Callable[..., Any], *arrays: np.ndarray) -> Outcome:
    """What backward() would leave in .grad of the arrays: the gradient of each, or of the only one."""
    with pytest.MonkeyPatch.context() as patch:
        # The call computes a loss; of the same arguments the gradients are taken.
        def derive(name: str, *values: Any, **named: Any) -> Outcome:
            names = [a.name for a in array_arguments(lookup(name))]
            wanted = [names[n] for n, v in enumerate(values) if any(v is array for array in arrays)]
            assert wanted, "the arrays are passed on as they are"
            return [COMPUTE_GRADIENT(name, *values, wrt=one, **named) for one in wanted]

        patch.setattr(losscalc, "compute", derive)
        gradients = call(*arrays)
    return np.asarray(gradients[0] if len(gradients) == 1 else gradients)


COMPUTE_GRADIENT = losscalc.gradient


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
    cat=lambda tensors, dim: np.concatenate(tensors, axis=dim),
    sigmoid=lambda x: losscalc.compute("sigmoid", x).view(Tensor),
    softmax=lambda x, dim: losscalc.compute("softmax", x, dim=dim).view(Tensor),
    log_softmax=lambda x, dim: losscalc.compute("log_softmax", x, dim=dim).view(Tensor),
)


def namespace(**options: Any) -> dict[str, Any]:
    """The names that the calls use; further options go to every function of `F`.

    The functions of torchvision reduce to none unless told otherwise.
    """
    vision = Functions(**options)
    return {
        "compute": lambda *arrays, **named: losscalc.compute(*arrays, **named, **options),
        "T": lambda values: tensor(values, np.float64),
        "S": lambda values: tensor(values, np.float32),
        "I": lambda values: tensor(values, np.int64),
        "Z": zeros,
        "F": Functions(**options),
        "TVO": SimpleNamespace(
            **{
                name: lambda *arrays, name=name, **named: getattr(vision, name)(
                    *arrays, **{"reduction": "none", **named}
                )
                for name in VISION
            }
        ),
        "nn": Modules(),
        "torch": TORCH,
        "mk": Adaptive,
        "g": slopes,
        "inf": inf,
        "nan": nan,
    }


VISION = (
    "sigmoid_focal_loss",
    "generalized_box_iou_loss",
    "distance_box_iou_loss",
    "complete_box_iou_loss",
)


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

COLUMN = "(N, 1) beside (N,) is (N,), unless broadcast=True asks for more"
READ = "(N, 1) beside (N,) is (N,)"
BROADCAST = "input and target broadcast only when broadcast=True asks for it"
WHOLE = "whole numbers are taken, as float64"
INDEX = "class indices may have any integral dtype, and be integral floats"
MIXED = "dtypes may differ; the result has the floating dtype of the input"
LIMIT = "an infinite logit gives the limit, not inf - inf or 0·inf"
TAIL = "the value to 50 digits; PyTorch loses it to cancellation"
# 6 ULP of distances of √2 are so much of a difference of 2e-6.
PARTS = 1e-9
NEGATIVE = "a negative weight is refused"
SMOOTHING = "a label smoothing below 0 is refused, not ignored"

INFINITE = "an infinite parameter is refused"
NAN = "a NaN score that takes part gives NaN"
PREDICTION = "gradients are those of predictions, not of targets"
SIGN = "labels other than 1 and -1 are refused"

DEVIATIONS = {
    "RED-10": Deviation(losscalc.ParameterError, "elementwise_mean went out of use in 2018"),
    "L1-10": Deviation(0.0, COLUMN),
    "L1-11": Deviation([0.0, 0.0, 0.0], COLUMN),
    "L1-13": Deviation(losscalc.ShapeError, BROADCAST),
    "L1-18": Deviation(2.5, WHOLE),
    "L1-19": Deviation(losscalc.DTypeError, "complex numbers are refused"),
    "MSE-07": Deviation(0.0, COLUMN),
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
    "SL1-10": Deviation(0.0, COLUMN),
    "HUB-10": Deviation(losscalc.ParameterError, INFINITE),
    "HE-05": Deviation(losscalc.DomainError, SIGN),
    "BCE-13": Deviation(0.6931471805599453, READ),
    "BCEL-41": Deviation(1.2200948492805979, READ),
    "FOC-14": Deviation(
        [0.00045089070881009483, 0.016993543131350493, 0.04332169878499658, 0.6915701102563155], READ
    ),
    "HE-06": Deviation([1.0, 0.0], COLUMN),
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
    "XC-01": Deviation(nan, NAN),
    "XC-02": Deviation(nan, NAN),
    "KL-06": Deviation([0.0, 2.0], LIMIT),
    "KL-08": Deviation(losscalc.DomainError, "a negative probability is refused"),
    "KL-10": Deviation([0.0, 2.0], LIMIT),
    "KL-13": Deviation(losscalc.ShapeError, BROADCAST),
    "KL-14": Deviation(losscalc.ShapeError, BROADCAST),
    "KL-21": Deviation([0.0, 2.0], WHOLE),
    # x - y·ln x and exp(x) - y·x of a y of 0 are x and exp(x), down to x = 0 and x = -∞.
    "POI-11": Deviation(0.0, LIMIT),
    "POI-14": Deviation(0.0, LIMIT),
    "POI-15": Deviation([1.718281828459045, 3.3890560989306504], COLUMN),
    # ½·ln 2 + (0² + 1²)/8, and ½·ln 2 + (.5² + 0 + 1 + 2²)/16 - a variance of 2 for all.
    "GAU-10": Deviation(0.4715735902799727, WHOLE),
    "GAU-14": Deviation(0.6746985902799727, "one variance may be given for an input of any shape"),
    "MLSM-10": Deviation(losscalc.ShapeError, BROADCAST),
    "MLSM-12": Deviation(0.0, LIMIT),
    "MLM-13": Deviation(0.8500000000000001, INDEX),
    "MM-20": Deviation(1.1, INDEX),
    # 1 - 1/(1 + ε) with the ε of float32, 9.99999996e-13.
    "COS-01": Deviation([9.999999960031972e-13, 0.0, 0.79999999999984], TAIL),
    "COS-04": Deviation([9.999999960031972e-13, 0.0, 0.29999999999984], TAIL),
    "COS-06": Deviation(losscalc.DomainError, SIGN),
    "COS-12": Deviation(losscalc.ShapeError, BROADCAST),
    "COS-13": Deviation(losscalc.ShapeError, BROADCAST),
    "MR-05": Deviation(losscalc.DomainError, SIGN),
    "MR-06": Deviation(losscalc.ShapeError, BROADCAST),
    "MR-08": Deviation(losscalc.ShapeError, BROADCAST),
    # √2·ε - (√((1-ε)² + ε²) - 1) and the like, with ε = 1e-6; in the norms of degree 1 and ∞ 2ε.
    "TRI-01": Deviation([0.0, 2.414213062372595e-06], TAIL, rtol=PARTS),
    "TRI-02": Deviation(1.2071065311862974e-06, TAIL, rtol=PARTS),
    "TRI-03": Deviation(2.414213062372595e-06, TAIL, rtol=PARTS),
    "TRI-08": Deviation([0.0, 2e-06], TAIL, rtol=PARTS),
    "TRI-09": Deviation([0.0, 2e-06], TAIL, rtol=PARTS),
    "TRI-15": Deviation(losscalc.ShapeError, BROADCAST),
    "TRI-19": Deviation([0.0, 2.414213062372595e-06], TAIL, rtol=PARTS),
    "CTC-23": Deviation(losscalc.ClassIndexError, "a blank among the symbols of a target is refused"),
    "CTC-29": Deviation(1.0427389161484855, INDEX),
    "CTC-30": Deviation(0.69921875, "float16 is taken; the value is that of CTC-02, rounded to it"),
    "FOC-12": Deviation([0.0, 0.0], LIMIT),
    # The last: ε/(4 + ε) and ε/(2 + ε), where torchvision subtracts numbers that are nearly equal.
    "BOX-01": Deviation([1.07936507893676, 1.7777777691358025, 4.999999750000012e-08], TAIL),
    "BOX-07": Deviation([2.4999999375000013e-08], TAIL, rtol=3e-8),
    "BOX-08": Deviation([0.9682539696775007, 1.4444444419753086, 4.999999750000012e-08], TAIL),
    "BOX-13": Deviation([0.9682539696775007, 1.4444444419753086, 4.999999750000012e-08], TAIL),
    "BOX-17": Deviation(nan, "an empty mean is NaN"),
    # The values of BOX-09: these boxes have the same proportions.
    "BOX-18": Deviation([0.9682539682539684, 1.4444444444444444, 0.0], "eps counts everywhere"),
    "BOX-19": Deviation(np.dtype(np.float64), WHOLE),
    "BOX-20": Deviation(losscalc.ShapeError, BROADCAST),
    "GRD-18": Deviation(losscalc.ParameterError, PREDICTION),
    "GRD-19": Deviation(losscalc.ParameterError, PREDICTION),
    "GRD-21": Deviation([[0.0, 0.0], [-0.5, 0.5]], "an ignored row has no gradient, whatever it holds"),
    "GRD-25": Deviation([-1.0, 0.0], "it does not overflow"),
}


def plain(outcome: Outcome) -> Outcome:
    """An outcome as the file writes it: lists of numbers, and classes for errors."""
    if isinstance(outcome, losscalc.LosscalcError):
        return type(outcome)
    return outcome.tolist() if isinstance(outcome, np.ndarray | np.generic) else outcome


def agree(outcome: Outcome, expected: Outcome, rtol: float, atol: float = 0.0) -> bool:
    """Whether two outcomes are the same: NaN like NaN, shapes equal, errors of the class expected."""
    if any(isinstance(one, type | str | np.dtype) for one in (outcome, expected)):
        both = isinstance(outcome, type) and isinstance(expected, type)
        return issubclass(outcome, expected) if both else bool(outcome == expected)
    if np.shape(outcome) != np.shape(expected):
        return False
    return bool(np.allclose(outcome, expected, rtol=rtol, atol=atol, equal_nan=True))


def tolerance(outcome: Outcome) -> float:
    """How far the values of an outcome may be from what was written down, relatively."""
    return TOLERANCE[str(outcome.dtype)] if isinstance(outcome, np.ndarray | np.generic) else 0.0


@pytest.mark.parametrize("id", VECTORS)
@pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning")
def test_vector(id: str) -> None:
    """A call gives PyTorch's value, or what the table of deviations says, and never -0.0."""
    vector = VECTORS[id]
    known = DEVIATIONS.get(id, Deviation(vector.torch, ""))
    outcome = vector.run()
    rtol = max(known.rtol, tolerance(outcome))
    assert agree(plain(outcome), known.result, rtol), f"{vector.call} gives {outcome!r}"
    if isinstance(outcome, np.ndarray | np.generic):
        assert not np.any((np.asarray(outcome) == 0) & np.signbit(outcome)), "-0.0"


@pytest.mark.parametrize("id", [key for key, one in DEVIATIONS.items() if one.reason in (BROADCAST, COLUMN)])
def test_vector_broadcast(id: str) -> None:
    """Where PyTorch broadcasts, with a warning or without, broadcast=True gives its value."""
    outcome = VECTORS[id].run(broadcast=True)
    # An ULP of 1 is what PyTorch loses where a cosine is subtracted from it.
    assert agree(plain(outcome), VECTORS[id].torch, tolerance(outcome), atol=2.3e-16)


@pytest.mark.parametrize("id", [v.id for v in VECTORS.values() if v.warning == "legacy"])
def test_vector_legacy(id: str) -> None:
    """Where PyTorch warns of size_average and reduce, losscalc does so too."""
    with pytest.warns(losscalc.LosscalcWarning, match="size_average and reduce"):
        VECTORS[id].run()


def test_vectors_are_complete() -> None:
    """Every line of the file has an id of its own, and the tables of PyTorch have all their numbers."""
    listed = [vector.id for vector in parse(PATH.read_text(encoding="utf-8"))]
    twice = [key for key, count in Counter(listed).items() if count > 1]
    assert not twice, f"give another id to one of each {', '.join(twice)} in tests/data/vectors.txt"
    tables = {name: sorted(key for key in listed if key.startswith(f"{name}-")) for name in COMPLETE}
    assert tables == {name: [f"{name}-{n:02}" for n in range(1, last + 1)] for name, last in COMPLETE.items()}


@pytest.mark.parametrize("cls", losscalc.losses().values())
def test_every_loss_has_golden_rows(cls: type[losscalc.Loss]) -> None:
    """Values of PyTorch, torchvision or whoever else defines it, of every loss of the registry."""
    call = f".{cls.functional or cls.torch}(" if cls.torch else f"compute('{cls.name}'"
    call = "m(x" if cls is losscalc.AdaptiveLogSoftmax else call
    own = [vector.id for vector in VECTORS.values() if call in vector.call and vector.id[:3] != "GRD"]
    assert len(own) >= 3, (
        f"add golden rows for {cls.name} to tests/data/vectors.txt: {len(own)} of 3 calls have {call}"
    )


COMPLETE = {
    "L1": 20, "MSE": 13, "SL1": 11, "HUB": 14, "HE": 10, "SM": 10, "BCE": 28,
    "BCEL": 47, "CE": 50, "CEX": 40, "NLL": 24, "LS": 3, "LCE": 13, "ADA": 8, "KL": 22, "POI": 16,
    "GAU": 19, "MLSM": 14, "MLM": 16, "MM": 25, "COS": 14, "MR": 10, "TRI": 22, "CTC": 30, "FOC": 14,
    "BOX": 20, "GRD": 28, "XC": 13,
}  # fmt: skip
"""The tables of PyTorch's that are here in full, with the number of their last vector."""


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
