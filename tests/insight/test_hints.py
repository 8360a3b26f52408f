"""Hints lead on: each is followed as it stands, and ends in the right number, or in a clear question.

The right numbers are those of PyTorch 2.13, of the call that stands beside them; a diagnosis, or a
role whose domain has a hint, without a row here fails.
"""

import io
import sys
from types import SimpleNamespace
from typing import NamedTuple

import pytest

import losscalc
from losscalc import cli
from losscalc.core.declaration import array_arguments
from losscalc.core.operation import operations
from losscalc.insight.diagnose import DIAGNOSES


class Followed(NamedTuple):
    """A command, the hint that it gets, and what follows it: one command, or several in a pipe."""

    name: str
    """The diagnosis, or the kind of numbers of the role."""
    command: str
    hint: str
    then: str
    value: float


SIXTEEN = ".9,0.2,0.5,0.7,0.1,0.3,0.6,0.8,0.9,0.2,0.5,0.7,0.1,0.3,0.6,0.8 -t 1,0,1,1,0,0,1,1,1,0,1,1,0,0,1,1"
"""Enough probabilities to be taken for some, and their labels."""

FOLLOWED = [
    # F.binary_cross_entropy(p, y)
    Followed(
        "logits-are-probabilities",
        f"bce-logits -i {SIXTEEN}",
        "for probabilities use losscalc bce; leave out the sigmoid that comes before logits",
        f"losscalc bce -i {SIXTEEN}",
        0.3217913532684341,
    ),
    # F.nll_loss(torch.log(p), y)
    Followed(
        "scores-are-probabilities",
        "cross-entropy -i [[0.7,0.2,0.1],[0.1,0.2,0.7],[0.3,0.4,0.3]] -t 0,2,1",
        "for probabilities use losscalc log-loss; leave out the softmax, or pipe it through losscalc log",
        "losscalc log -i [[0.7,0.2,0.1],[0.1,0.2,0.7],[0.3,0.4,0.3]] | losscalc cross-entropy -i - -t 0,2,1",
        0.5432135399172067,
    ),
    Followed(
        "scores-are-probabilities",
        "cross-entropy -i [[0.7,0.2,0.1],[0.1,0.2,0.7],[0.3,0.4,0.3]] -t 0,2,1",
        "for probabilities use losscalc log-loss; leave out the softmax, or pipe it through losscalc log",
        "losscalc log-loss -i [[0.7,0.2,0.1],[0.1,0.2,0.7],[0.3,0.4,0.3]] -t 0,2,1",
        0.5432135399172067,
    ),
    Followed(
        "probabilities",
        "nll -i [[0.7,0.2,0.1],[0.1,0.2,0.7],[0.3,0.4,0.3]] -t 0,2,1",
        "pipe it through losscalc log",
        "losscalc log -i [[0.7,0.2,0.1],[0.1,0.2,0.7],[0.3,0.4,0.3]] | losscalc nll -i - -t 0,2,1",
        0.5432135399172067,
    ),
    # F.kl_div(torch.log(p), q, reduction='batchmean')
    Followed(
        "probabilities",
        "kl-div -i [[0.7,0.2,0.1],[0.1,0.2,0.7]] -t [[0.5,0.3,0.2],[0.1,0.1,0.8]] -r batchmean",
        "pipe it through losscalc log",
        "losscalc log -i [[0.7,0.2,0.1],[0.1,0.2,0.7]] "
        "| losscalc kl-div -i - -t [[0.5,0.3,0.2],[0.1,0.1,0.8]] -r batchmean",
        0.06477162313872777,
    ),
    # F.nll_loss(torch.log(p), y), of the probabilities that several labels have each
    Followed(
        "positive-log-probabilities",
        "nll -i [[0.7,0.6],[0.1,0.2],[0.3,0.4]] -t 0,1,1",
        "pipe probabilities through losscalc log, logits through losscalc log-softmax",
        "losscalc log -i [[0.7,0.6],[0.1,0.2],[0.3,0.4]] | losscalc nll -i - -t 0,1,1",
        0.9608011960823292,
    ),
    # F.cross_entropy(x, y)
    Followed(
        "positive-log-probabilities",
        "nll -i [[2,1,0],[0,3,1],[1,0,2]] -t 0,1,0",
        "pipe it through losscalc log-softmax; of logits, cross-entropy is the loss",
        "losscalc log-softmax -i [[2,1,0],[0,3,1],[1,0,2]] | losscalc nll -i - -t 0,1,0",
        0.6616859828150153,
    ),
    # F.cross_entropy(x, y) with the classes on axis 1
    Followed(
        "positive-log-probabilities",
        "nll -i [[[2,1],[0,3],[1,-1]],[[0,1],[2,-2],[1,1]]] -t [[0,1],[1,2]]",
        "pipe it through losscalc log-softmax --dim 1; of logits, cross-entropy is the loss",
        "losscalc log-softmax --dim 1 -i [[[2,1],[0,3],[1,-1]],[[0,1],[2,-2],[1,1]]] "
        "| losscalc nll -i - -t [[0,1],[1,2]]",
        0.4189698690138407,
    ),
    Followed(
        "not-normalised",
        "nll -i [[-2,-1,-3],[-4,-3,-1]] -t 0,1",
        "pipe it through losscalc log-softmax, or use losscalc cross-entropy",
        "losscalc log-softmax -i [[-2,-1,-3],[-4,-3,-1]] | losscalc nll -i - -t 0,1",
        1.7887259920003329,
    ),
    Followed(
        "not-normalised",
        "nll -i [[-2,-1,-3],[-4,-3,-1]] -t 0,1",
        "pipe it through losscalc log-softmax, or use losscalc cross-entropy",
        "losscalc cross-entropy -i [[-2,-1,-3],[-4,-3,-1]] -t 0,1",
        1.7887259920003329,
    ),
    # F.nll_loss(x.movedim(-1, 1), y)
    Followed(
        "class-axis",
        "nll -i [[[-0.2231435513142097,-1.6094379124341003],[-1.203972804325936,-0.35667494393873245]]] "
        "-t [[0,1]]",
        "--class-axis -1 takes them from there",
        "losscalc nll -i [[[-0.2231435513142097,-1.6094379124341003],"
        "[-1.203972804325936,-0.35667494393873245]]] -t [[0,1]] --class-axis -1",
        0.2899092476264711,
    ),
    # F.cross_entropy(x.movedim(-1, 1), y), and F.cross_entropy(x, y)
    *(
        Followed(
            "equal-axes",
            "cross-entropy -i [[[2,1],[0,3]]] -t [[0,1]]",
            "--class-axis -1 takes them from the last, --class-axis 1 says that this is meant",
            f"losscalc cross-entropy -i [[[2,1],[0,3]]] -t [[0,1]] --class-axis {axis}",
            value,
        )
        for axis, value in ((-1, 0.18092451954598243), (1, 0.1269280110429725))
    ),
    # F.binary_cross_entropy(p, y, weight=torch.tensor([[1.], [3.]]))
    Followed(
        "square",
        "bce -i [[0.9,0.2],[0.5,0.7]] -t [[1,0],[0,1]] --weight 1,3",
        "for one a row give a column, of shape (N, 1)",
        "losscalc bce -i [[0.9,0.2],[0.5,0.7]] -t [[1,0],[0,1]] --weight [[1],[3]]",
        0.8694926101170173,
    ),
    # F.cross_entropy(x, y, weight=torch.tensor([2., 2., 5.]), reduction='sum')
    Followed(
        "equal-weights",
        "cross-entropy -i [[2,1,-1],[0,3,1]] -t 0,1 --weight 2,2,5",
        "--reduction sum shows it",
        "losscalc cross-entropy -i [[2,1,-1],[0,3,1]] -t 0,1 --weight 2,2,5 --reduction sum",
        1.0377164726489436,
    ),
    # F.cross_entropy(x, y, weight=torch.tensor([1., 2., 5.]))
    Followed(
        "one-hot",
        "cross-entropy -i [[2,1,-1],[0,3,1]] -t [[1.0,0,0],[0,0,1.0]] --weight 1,2,5",
        "give class indices for a mean that divides by the weights of the targets",
        "losscalc cross-entropy -i [[2,1,-1],[0,3,1]] -t 0,2 --weight 1,2,5",
        1.8663737190916023,
    ),
    # F.binary_cross_entropy(p, y)
    Followed(
        "rows-of-probabilities",
        "log-loss -i [[0.9,0.2],[0.5,0.7]] -t 0,1",
        "Keras divides each row by its sum; where each column is a question of its own, give --target the "
        "shape of --input",
        "losscalc log-loss -i [[0.9,0.2],[0.5,0.7]] -t [[1,0],[0,1]]",
        0.3445815478676785,
    ),
    # F.nll_loss(torch.log(p), y)
    Followed(
        "one-hot-labels",
        "log-loss -i [[0.7,0.2,0.1],[0.1,0.2,0.7],[0.3,0.4,0.3]] -t [[1,0,0],[0,0,1],[0,1,0]]",
        "give class indices for the loss of one class a row",
        "losscalc log-loss -i [[0.7,0.2,0.1],[0.1,0.2,0.7],[0.3,0.4,0.3]] -t 0,2,1",
        0.5432135399172067,
    ),
    # F.binary_cross_entropy_with_logits(x, y) and F.cross_entropy(x, y)
    *(
        Followed(
            "probabilities",
            f"log-loss -i {scores} -t {target}",
            "for logits use bce-logits, or cross-entropy with class indices",
            f"losscalc {name} -i {scores} -t {target}",
            value,
        )
        for name, scores, target, value in (
            ("bce-logits", "2,-1,0", "1,0,1", 0.3777789597070469),
            ("cross-entropy", "[[2,-1,0],[0,3,1]]", "0,1", 0.16984601955628548),
        )
    ),
    # F.kl_div(torch.log(p), q, reduction='batchmean')
    Followed(
        "kl-mean",
        "kl-div -i [[-1.6094379124341003,-0.2231435513142097],[-0.6931471805599453,-0.6931471805599453]] "
        "-t [[0.5,0.5],[0.2,0.8]]",
        "--reduction batchmean is, for distributions (N, C)",
        "losscalc kl-div -i [[-1.6094379124341003,-0.2231435513142097],"
        "[-0.6931471805599453,-0.6931471805599453]] -t [[0.5,0.5],[0.2,0.8]] --reduction batchmean",
        0.20794415416798356,
    ),
    # F.ctc_loss(lp, y, [2, 2], [2, 2], reduction='mean', zero_infinity=True)
    Followed(
        "too-long",
        "ctc --log-probs [[[-1,-1,-1],[-1,-1,-1]],[[-1,-1,-1],[-1,-1,-1]]] --targets [[1,2],[1,1]] "
        "--input-lengths 2,2 --target-lengths 2,2",
        "--zero-infinity counts such losses as 0",
        "losscalc ctc --log-probs [[[-1,-1,-1],[-1,-1,-1]],[[-1,-1,-1],[-1,-1,-1]]] --targets [[1,2],[1,1]] "
        "--input-lengths 2,2 --target-lengths 2,2 --zero-infinity",
        0.5,
    ),
    # F.binary_cross_entropy(torch.tensor([0.85, .2]), y)
    Followed(
        "probabilities",
        "bce -i 85,20 -t 1,0",
        "divide percentages by 100",
        "losscalc bce -i 0.85,0.20 -t 1,0",
        0.19283124040599237,
    ),
    # F.binary_cross_entropy_with_logits(x, y)
    Followed(
        "probabilities",
        "bce -i 2,-1,0 -t 1,0,1",
        "for logits use bce-logits",
        "losscalc bce-logits -i 2,-1,0 -t 1,0,1",
        0.3777789597070469,
    ),
    # A question: either may be meant, as 3 may be a logit or a percentage.
    Followed(
        "probabilities",
        "bce -i 3,0.5 -t 1,0",
        "divide percentages by 100; for logits use bce-logits",
        "losscalc bce -i .03,0.005 -t 1,0",
        1.7557852195717631,
    ),
    # F.logsigmoid(x)
    Followed(
        "amounts",
        "log -i -0.5",
        "log-probabilities are logarithms already; of logits take losscalc log-softmax, or losscalc "
        "log-sigmoid where each is a question of its own",
        "losscalc log-sigmoid -i -0.5",
        -0.9740769841801067,
    ),
    # ½·0.25 of the same, at the distance of ½, and ½·(1 - ½)² of the different.
    Followed(
        "labels",
        "losscalc contrastive --input1 [[0,0],[1,0]] --input2 [[0.3,0.4],[1,0.5]] -t 1,-1",
        "labels of -1 and 1 become 0 and 1 as (label + 1) / 2",
        "losscalc contrastive --input1 [[0,0],[1,0]] --input2 [[0.3,0.4],[1,0.5]] -t 1,0",
        0.125,
    ),
    # F.soft_margin_loss(x, 2 * y - 1)
    Followed(
        "signs",
        "soft-margin -i 0.5,-2 -t 0,1",
        "labels of 0 and 1 become -1 and 1 as 2·label - 1",
        "losscalc soft-margin -i 0.5,-2 -t -1,1",
        1.5505024976115398,
    ),
    # F.kl_div(x, y, log_target=True)
    Followed(
        "distributions",
        "kl-div -i -1,-2 -t -0.5,-1.5",
        "for log-probabilities give --log-target; the target is the second array, not the first",
        "losscalc kl-div -i -1,-2 -t -0.5,-1.5 --log-target",
        0.2074152049652658,
    ),
]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run commands joined by pipes in this process: what the last printed, and what all said."""

    def run(line: str) -> tuple[str, str]:
        out, said = "", ""
        for command in line.split(" | "):
            piped = SimpleNamespace(buffer=io.BytesIO(out.encode()), isatty=lambda: False)
            monkeypatch.setattr(sys, "stdin", piped)
            cli.run(command.removeprefix("losscalc ").split())
            out, err = capsys.readouterr()
            said += err
        return out, said

    return run


@pytest.mark.parametrize("row", FOLLOWED, ids=lambda row: f"{row.name}: {row.command.partition(' ')[0]}")
def test_the_hint_leads_to_the_right_number(row: Followed, run) -> None:
    """The command gets the hint; typed, it gives the number, and never the same hint again."""
    _, said = run(row.command)
    assert f"  hint: {row.hint}\n" in said

    out, said = run(row.then)
    assert float(out) == pytest.approx(row.value, rel=1e-9)
    assert row.hint not in said


def test_every_diagnosis_is_followed() -> None:
    """A new sign brings what its hint leads to."""
    assert {diagnosis.name for diagnosis in DIAGNOSES} <= {row.name for row in FOLLOWED}


def test_every_hint_of_a_domain_is_followed() -> None:
    """And so does a new hint of a kind of numbers."""
    roles = [array.role for cls in operations().values() for array in array_arguments(cls)]
    assert {role.kind for role in roles if role.hint} <= {row.name for row in FOLLOWED}


def test_python_gives_the_hint_too() -> None:
    """Percentages as probabilities, in Python."""
    with pytest.raises(losscalc.DomainError) as caught:
        losscalc.compute("bce", [85, 20], [1, 0])
    assert caught.value.hint == "divide percentages by 100"


def test_log_of_nothing_and_of_less(run) -> None:
    """0 gives -inf; a negative number is refused, with its place."""
    out, said = run("losscalc log -i 1,0,0.5")
    assert [float(word) for word in out.split()] == [0.0, float("-inf"), pytest.approx(-0.6931471805599453)]
    assert said == "losscalc: warning: --input[1]: a result is not finite, found -inf\n"

    out, said = run("losscalc log -i 1,-2")
    assert (out, said.splitlines()[0]) == ("", "losscalc: error: --input[1]: must be at least 0, found -2.0")
