"""What holds for every hypothesis on every loss, and for every number that is expected of it."""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from itertools import islice, product
from typing import Any

import numpy as np
import pytest

import losscalc
from losscalc.catalogue.base import Loss, losses
from losscalc.core import reductions
from losscalc.core.declaration import parameters
from losscalc.core.reductions import MEAN
from losscalc.engine.compute import compute
from losscalc.insight.call import Call, simplified
from losscalc.insight.compare import Tolerance, compare
from losscalc.insight.detect.catalogue import hypotheses
from losscalc.insight.detect.definitions import of_libraries, of_others, of_parameters
from losscalc.insight.detect.evidence import Expected
from losscalc.insight.detect.hypothesis import STAGES, Hypothesis, NotApplicable, Supposed
from losscalc.insight.detect.losses import Losses
from losscalc.insight.detect.search import Search
from losscalc.insight.detect.suppose import combination, known, outcome
from losscalc.insight.detect.verdict import Verdict, verdict, weighed
from tests.support.examples import example, prepared, variants
from tests.support.wrong.arrays import DATA, Arrays

pytestmark = [
    pytest.mark.slow,
    # The arrays are at times odd, and the losses say so.
    pytest.mark.filterwarnings("ignore::losscalc.LosscalcWarning"),
]


def flattened(arrays: Mapping[str, Any]) -> Arrays:
    """The arrays under the names that the engine knows, those of a state each under its own."""
    flat: Arrays = {}
    for name, array in arrays.items():
        flat |= {f"{name}.{key}": a for key, a in array.items()} if isinstance(array, dict) else {name: array}
    return flat


def supposed(call: Call) -> Iterator[Supposed]:
    """Every hypothesis on a call, families with the first numbers that are tried, and with some of a span."""
    for row in hypotheses(call):
        if not row.has_number:
            yield Supposed(row)
        elif row.span is not None:
            yield from (Supposed(row, float(number)) for number in (row.span.low, row.span.high))
            yield from (Supposed(row, number) for number in (0.5, 2.0))
        else:
            numbers: list[float] = []
            with contextlib.suppress(NotApplicable):
                state = Losses.of(simplified(call)) if row.stage == "aggregation" else call
                numbers = [*map(float, row.tried(state))][:3] if row.tried is not None else []
            yield from (Supposed(row, number) for number in {*numbers, 1.0, 2.0})


def check_outcome(call: Call, each: Supposed) -> None:
    """A hypothesis does not apply, or gives as many numbers as are asked for."""
    value = outcome(call, (each,))
    assert value is None or value.dtype == np.float64, each.name
    if value is not None and not call.reduction.keeps:
        assert value.size == 1, each.name


@pytest.mark.parametrize("name", losses())
def test_every_hypothesis_has_a_value_or_does_not_apply(name: str) -> None:
    """On the example of the loss, in two of its variants."""
    for seed, loss in enumerate(islice(variants(losses()[name]), 2)):
        arrays = flattened(prepared(loss, example(losses()[name], 6, seed)))
        call = Call(loss, arrays, reductions.REDUCTIONS["mean"])
        for each in supposed(call):
            check_outcome(call, each)


BROADCASTING = [n for n, cls in losses().items() if cls.broadcasts and cls.labels in ("values", "amounts")]


@pytest.mark.parametrize("name", BROADCASTING)
def test_hypotheses_apply_or_not_to_targets_of_another_shape(name: str) -> None:
    """Of several quantiles, also as many as rows; and where input and target broadcast."""
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0.5, 2, (3, 3)), rng.uniform(0.5, 2, 3)
    is_pinball = name == "pinball"
    loss = losses()[name](**({"quantile": (0.1, 0.5, 0.9)} if is_pinball else {}))
    arrays = {"input": x, "target": y, **({"var": y[:, np.newaxis]} if name == "gaussian-nll" else {})}
    for part in (x, x[:2]):
        own = y[: len(part)] if is_pinball else y
        call = Call(loss, {**arrays, "input": part, "target": own}, MEAN)
        call = call._replace(broadcast=not is_pinball)
        for each in supposed(call):
            value = outcome(call, (each,))
            assert value is None or value.dtype == np.float64, each.name


@pytest.mark.parametrize("name", losses())
def test_every_hypothesis_is_called_and_worded(name: str) -> None:
    """Its name is its own and is read back, and its sentence has no place that is not filled."""
    assert {row.name for row in known(losses()[name])} == {
        row.name for row in hypotheses(Call(losses()[name]()))
    }
    for seed, loss in enumerate(islice(variants(losses()[name]), 2)):
        call = Call(loss, flattened(prepared(loss, example(losses()[name], 6, seed))), MEAN)
        rows = list(hypotheses(call))
        for has_number in (True, False):
            names = [row.name for row in rows if row.has_number == has_number]
            assert sorted(names) == sorted(set(names))
        # What is typed is read back: of every twentieth, because each reads all.
        for row in rows[seed::20]:
            each = Supposed(row, (3.0 if row.is_whole else 2.5) if row.has_number else None)
            (parsed,) = combination(call, each.name)
            assert (parsed.name, parsed.sentence, parsed.number) == (each.name, each.sentence, each.number)
        for row in rows:
            each = Supposed(row, 2.5 if row.has_number else None)
            assert row.stage in STAGES
            assert row.bits >= 0
            assert each.sentence
            assert "{" not in each.sentence + each.options


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("first-rows=1", "only the first row was averaged"),
        ("first-rows=2", "only the first 2 rows were averaged"),
        ("last-rows=1", "only the last row was averaged"),
        ("rolled=1", "targets were rolled by 1 row, the last ones coming first"),
        ("rolled=11", "targets were rolled by 11 rows, the last ones coming first"),
        (
            "shifted=-1",
            "targets were shifted by -1 row against the predictions, and what was left over dropped",
        ),
    ],
)
def test_one_row_is_no_rows(name: str, sentence: str) -> None:
    """A sentence says one of one, and several of more."""
    (found,) = combination(Call(losses()["mse"]()), name)
    assert found.sentence == sentence


@pytest.mark.parametrize("name", losses())
def test_numbers_are_looked_for_between_their_ends(name: str) -> None:
    """From the lowest to the highest, in ascending order."""
    for row in hypotheses(Call(losses()[name]())):
        if row.span is not None:
            grid = row.span.grid()
            assert (np.diff(grid) > 0).all(), row.name
            assert (grid[0], grid[-1]) == (pytest.approx(row.span.low), pytest.approx(row.span.high))


# -- what is declared -----------------------------------------------------------------------------------


def declared(loss: Loss) -> Iterator[Hypothesis]:
    """The hypotheses that follow from the declaration and have no number."""
    rows = [*of_libraries(loss), *of_parameters(loss), *of_others(loss)]
    for row in rows:
        is_stated = row.options or row.name.removeprefix("as-") in losses() or row.name.startswith("like-")
        if is_stated and not row.has_number and row.concerns(loss):
            yield row


def stated(loss: Loss, row: Hypothesis, arrays: Mapping[str, Any]) -> Any:
    """What a hypothesis says, computed by what users of Python type."""
    kind, _, rest = row.name.partition("-")
    if kind == "as" and rest in losses():
        other = losses()[rest]
        # Parameters that were typed and that both have are the same in both, and so is where a loss bends.
        typed = {p.name: getattr(loss, p.name) for p in parameters(type(loss))}
        typed = {p.name: typed[p.name] for p in parameters(type(loss)) if typed[p.name] != p.default}
        shared = {p.name: typed[p.name] for p in parameters(other) if p.name in typed}
        bends = {other.bend: getattr(loss, loss.bend)} if other.bend and loss.bend else {}
        return other(**{**shared, **bends})(**arrays)
    if kind == "like":
        own = {
            p.name: getattr(loss, p.name)
            for p in parameters(type(loss))
            if getattr(loss, p.name) != p.default
        }
        return type(loss)(**own, like=rest)(**arrays)
    option, *typed_words = row.options.split()
    name = option.removeprefix("--").removeprefix("no-").replace("-", "_")
    parameter = next(p for p in parameters(type(loss)) if name in (p.name, p.name.removeprefix("no_")))
    is_flag = parameter.kind is bool
    setting = not getattr(loss, parameter.name) if is_flag else parameter.default
    if parameter.kind is str:
        (setting,) = typed_words
    return type(loss)(**{**loss.settings, parameter.name: setting})(**arrays)


@pytest.mark.parametrize("cls", losses().values(), ids=lambda cls: cls.name)
def test_declared_suppositions(cls: type[Loss]) -> None:
    """Another loss, a parameter left out, a flag the other way, a library: each is what Python gives."""
    for number, loss in enumerate(variants(cls)):
        arrays = prepared(loss, example(cls, 5, seed=number))
        call = Call(loss, flattened(arrays), MEAN)
        for row in declared(loss):
            try:
                found = outcome(call, (Supposed(row),))
                expected = stated(loss, row, arrays)
            except (losscalc.LosscalcError, TypeError):
                continue
            if found is not None:
                np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=f"{row.name} of {loss}")


# -- numbers that are right, or have nothing to do with the data -------------------------------------------


def drawn(cls: type[Loss], seed: int) -> tuple[Call, np.ndarray]:
    """A call of a loss in one of its variants, and what comes out of it in Python."""
    rng = np.random.default_rng(seed)
    loss = rng.choice(np.array(list(variants(cls)), dtype=object))
    reduction = str(rng.choice(cls.reductions))
    arrays = prepared(loss, example(cls, int(rng.integers(2, 6)), seed))
    right = losscalc.compute(cls.name, **arrays, **loss.settings, reduction=reduction)
    return Call(loss, flattened(arrays), reductions.REDUCTIONS[reduction]), np.asarray(right)


@pytest.mark.parametrize("name", losses())
def test_the_right_number_agrees(name: str) -> None:
    """On 1,000 draws over all losses: as it is, in float32, and a little off."""
    for seed in range(-(-1000 // len(losses()))):
        call, right = drawn(losses()[name], seed)
        noise = np.random.default_rng(seed).uniform(-9e-6, 9e-6, right.shape)
        for number in (right, right.astype(np.float32), right * (1 + noise)):
            assert compare(compute(call).value, number, Tolerance()).agrees


# -- bugs, and arrays that few have ------------------------------------------------------------------------


def test_a_bug_in_a_hypothesis_is_seen() -> None:
    """Only what says that it does not apply is passed over."""
    call = Call(losses()["mse"](), DATA["pairs"](np.random.default_rng(1)), MEAN)
    for broken in (
        lambda call: call.arrays["typo"],
        lambda call: call.typo,
        lambda call: 1 / 0,
        lambda call: np.linalg.inv(np.zeros((2, 2))),
    ):
        row = Hypothesis("input", "broken", "it has a bug", 1.0, broken)
        with pytest.raises((KeyError, AttributeError, ZeroDivisionError, np.linalg.LinAlgError)):
            outcome(call, (Supposed(row),))

    def refused(_: Call) -> None:
        raise NotApplicable

    row = Hypothesis("input", "refused", "it says nothing of this", 1.0, refused)
    assert outcome(call, (Supposed(row),)) is None


ODD: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "nothing": lambda array: array[:0],
    "one row": lambda array: array[:1],
    "one sample": lambda array: array[0],
    "flags": lambda array: array == 1 if np.isin(array, (0, 1)).all() else array,
    "unsigned": lambda array: abs(array).astype(np.uint8),
    "narrow": lambda array: array.astype(np.float16) if array.dtype.kind == "f" else array,
}


def odd_calls(name: str, odd: str) -> Iterator[Call]:
    """Calls with such arrays that a loss accepts, with weights and without, reduced and not."""
    whole = flattened(example(losses()[name], 3, seed=5))
    fixed = {key for key in whole if key.startswith(("state", "linear"))}
    weights = {key for key in whole if "weight" in key} - fixed
    for left_out in [set(), weights] if weights else [set()]:
        taken = {key: array for key, array in whole.items() if key not in left_out}
        arrays = {key: array if key in fixed else ODD[odd](array) for key, array in taken.items()}
        if all(arrays[key] is array for key, array in taken.items()):
            continue
        for reduction in (each for each in ("mean", "none") if each in losses()[name].reductions):
            call = Call(losses()[name](), arrays, reductions.REDUCTIONS[reduction])
            with contextlib.suppress(losscalc.LosscalcError):
                compute(call)
                yield call


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", losses())
def test_no_hypothesis_fails(name: str, odd: str) -> None:
    """On whatever arrays a loss accepts, each has a value or does not apply."""
    for call in odd_calls(name, odd):
        for each in supposed(call):
            check_outcome(call, each)


@pytest.fixture(
    scope="module",
    params=product(losses(), ("nothing", "one sample")),
    ids=lambda each: " of ".join(each[::-1]),
)
def searched(request: pytest.FixtureRequest) -> tuple[Call, Search]:
    """A call with such arrays, and its search."""
    call = next((call for call in odd_calls(*request.param) if not call.reduction.keeps), None)
    if call is None:
        pytest.skip("the loss takes no such arrays, or is not reduced")
    return call, Search(call)


def test_no_search_fails(searched: tuple[Call, Search]) -> None:
    """Whatever the arrays are, and whatever is expected of them."""
    for text in ("0.1234567", "0", "1e30"):
        weighed(searched[1], Expected.typed(text))


def test_the_right_number_is_no_mistake(searched: tuple[Call, Search]) -> None:
    """However many digits of it are typed, there is nothing to explain."""
    call, search = searched
    value = float(compute(call).value)
    if math.isfinite(value):
        for text in (repr(value), *(f"{value:.{digits}f}" for digits in range(1, 9))):
            assert weighed(search, Expected.typed(text)) == Verdict(), text


def test_a_search_is_watched() -> None:
    """How far it has come never goes back."""
    call = Call(losses()["mse"](), DATA["pairs"](np.random.default_rng(1)), MEAN)
    shares: list[float] = []
    verdict(call, Expected.typed("7.123"), shares.append)
    assert shares
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


NARROW = [(name, reduction) for name, cls in losses().items() for reduction in cls.reductions]


@pytest.mark.parametrize(("name", "reduction"), NARROW)
def test_arithmetic_in_float32_is_close(name: str, reduction: str) -> None:
    """By the formula as it stands, reduced in the same way: only the last digits differ."""
    call = Call(
        losses()[name](), flattened(example(losses()[name], 5, seed=3)), reductions.REDUCTIONS[reduction]
    )
    value = outcome(call, combination(call, "naive-float32"))
    # Some formulas cannot be computed as they stand; they give nothing, or NaN.
    if value is not None and not np.isnan(value).any():
        assert compare(value, compute(call).value, Tolerance(1e-4, 1e-5)).agrees


def test_nothing_is_weighted_by_nothing() -> None:
    """A row of no classes has weights without a maximum: its loss, a mean of nothing, is NaN."""
    call = {name: np.empty(0) for name in ("input", "target", "weight")}
    with pytest.warns(losscalc.LosscalcWarning, match="not finite"):
        found = losscalc.check("multilabel-soft-margin", **call, expected=0.5, reduction="none")
    assert (found.agrees, found.causes) == (False, ())
