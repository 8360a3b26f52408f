"""The index of names: complete, and enough to find the one module that a loss needs."""

import re
import subprocess
import sys
import time

import pytest

from losscalc import cli, losses
from losscalc.cli.catalogue import TOOLS
from losscalc.cli.tasks import TASKS
from losscalc.core.registry import lookup, names_of, operations, other_meaning
from losscalc.errors import UnknownLossError
from tests.support import tables
from tests.support.tables import INDEX, index, tasks


def test_the_index_is_fresh() -> None:
    """Every name of every loss and activation is in the index, with its module."""
    assert INDEX.read_text("utf-8") == index(), "run `python -m tests.support.tables`, which writes it anew"
    assert tables.TASKS.read_text("utf-8") == tasks(), (
        "run `python -m tests.support.tables`, which writes it anew"
    )


@pytest.mark.parametrize("cls", operations().values(), ids=lambda cls: cls.name)
def test_every_name_leads_to_its_loss(cls) -> None:
    """Names are found in any case, with hyphens or underscores, and with a final `loss` unless taken."""
    for name in names_of(cls):
        for spelling in (name, name.upper(), name.replace("-", "_"), name.replace("_", "-")):
            assert lookup(spelling) is cls
    whole = lookup(f"{cls.name} loss")
    assert whole is cls or f"{cls.name}loss" in {
        re.sub("[-_ ]", "", name).lower() for name in names_of(whole)
    }


def test_a_name_is_looked_up_whole_first() -> None:
    """`log-loss` is no `log` with a word too many."""
    assert [lookup(name).name for name in ("log", "log-loss", "LogLoss", "log_cosh_loss")] == [
        "log", "log-loss", "log-loss", "log-cosh",
    ]  # fmt: skip
    with pytest.raises(UnknownLossError, match="unknown loss"):
        lookup("loss")


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("torch.nn.BCELoss", "bce"),
        ("F.mse_loss", "mse"),
        ("tf.keras.losses.Huber", "huber"),
        ("sklearn.metrics.log_loss", "log-loss"),
        ("tfa.losses.SigmoidFocalCrossEntropy", "sigmoid-focal"),
        ("BinaryFocalCrossentropy", "sigmoid-focal"),
    ],
)
def test_names_of_libraries_with_their_module(name: str, loss: str) -> None:
    """As they stand in code; the hyphens and capitals of the last word make no difference."""
    assert lookup(name).name == loss


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("corss_entropy", "did you mean cross-entropy?"),
        ("rsme", "did you mean rmse?"),
        ("focall", "did you mean focal?"),
        ("MaskedDiceLoss", "did you mean dice?"),
        ("GeneralizedDiceLoss", "did you mean dice?"),
        ("DiceCELoss", "did you mean dice?"),
        ("PPOTrainer", "did you mean ppo-clip?"),
        ("reg:squarederror", "did you mean mse?"),
        ("OnlineContrastiveLoss", "did you mean contrastive?"),
        ("CircleLoss", "losscalc list shows them all"),
        ("LovaszLoss", "losscalc list shows them all"),
        ("VICRegLoss", "losscalc list shows them all"),
        ("KTOTrainer", "losscalc list shows them all"),
        ("zero_one_loss", "losscalc list shows them all"),
        ("vae", "losscalc list vae shows what it may be"),
    ],
)
def test_an_unknown_name_gets_the_nearest_by_meaning(name: str, hint: str) -> None:
    """Classes of libraries by their words, misspelt names by their letters, and others get none."""
    with pytest.raises(UnknownLossError) as caught:
        lookup(name)
    assert caught.value.hint == hint


def test_a_loss_imports_its_own_family_only() -> None:
    """A command starts as fast however many losses there are."""
    code = (
        "import sys; from losscalc.cli import run; run(['mse', '-i', '1', '-t', '2']); "
        "print(*sorted(m for m in sys.modules if m.startswith('losscalc.catalogue.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=-1, check=True, text=True)
    modules = done.stdout.splitlines()[1].split()
    assert modules == [f"losscalc.catalogue.{name}" for name in ("base", "index", "regression")]


def test_a_name_with_several_meanings_is_told(capsys) -> None:
    """One line says which other loss may have been meant; the name of the loss itself says it all."""
    arrays = ("-i", "[[0.5,0.5]]", "-t", "[[0.25,0.75]]")
    assert cli.run(["kl", *arrays]) == 0
    plain = capsys.readouterr()
    assert cli.run(["kl_divergence", *arrays]) == 0
    ambiguous = capsys.readouterr()
    assert (plain.err, ambiguous.out) == ("", plain.out)
    assert ambiguous.err.startswith("losscalc: note: kl_divergence is taken as kl; others mean ")


@pytest.mark.parametrize("cls", operations().values(), ids=lambda cls: cls.name)
def test_other_meanings(cls) -> None:
    """Each ambiguous name leads to the loss, and says something."""
    for name in cls.ambiguous:
        assert lookup(name) is cls
        assert other_meaning(cls, name) or name.replace("_", "-").lower() == cls.name


def test_the_first_screen_shows_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    """It fits into 24 lines of 80 columns, and needs neither a loss nor NumPy."""
    assert cli.run(["--help"]) == 0
    screen = capsys.readouterr().out
    assert len(screen.splitlines()) <= 24
    assert max(map(len, screen.splitlines())) <= 80
    for task, names in TASKS.items():
        shown = re.search(rf"^  {task}  +(.*)$", screen, re.MULTILINE)
        assert shown is not None, task
        assert names.split()[:2] == shown[1].split()[:2]
        assert all(task in losses()[name].uses for name in names.split())
    assert all(word in screen for word in ("--explain", "--expect", "losscalc list", "losscalc help", *TOOLS))
    code = "import sys; from losscalc.cli import run; run(['--help']); sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_a_long_name_is_refused_at_once() -> None:
    """It resembles none, which its length tells."""
    start = time.process_time()
    with pytest.raises(UnknownLossError, match="unknown loss"):
        lookup("al" * 30_000)
    assert time.process_time() - start < 10
