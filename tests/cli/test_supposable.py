"""losscalc suppose: all that --suppose takes, by stage."""

import json

import pytest

from losscalc import cli, losses
from losscalc.insight.detect.hypothesis import STAGES


@pytest.fixture
def told(capsys):
    """What a command prints."""

    def run(*words: str) -> str:
        assert cli.run([*words]) == 0
        return capsys.readouterr().out

    return run


def test_names_stand_by_stage(told):
    """A line each: stage, name, meaning; the stages in the order of a computation."""
    rows = [line.split("\t") for line in told("suppose", "cross-entropy").splitlines()]
    stages = [stage for stage, _, _ in rows]

    assert stages == sorted(stages, key=STAGES.index)
    assert set(stages) == set(STAGES)
    assert ["input", "softmax-first", "a softmax was applied to the input first"] in rows
    assert ["last", "half", "a factor ½ was applied"] in rows
    assert not any("{" in cell for row in rows for cell in row)


def test_those_with_a_number_say_so(told):
    """NUMBER stands in the name, and in the meaning, and a number there is taken."""
    names = dict(line.split("\t")[1:] for line in told("suppose", "mse").splitlines())
    assert names["times=NUMBER"] == "the loss was multiplied by NUMBER (a number of batches, or a weight)"
    assert float(told("mse", "-i", "1,2", "-t", "0,0", "--suppose", "times=3", "-f", "plain")) == 7.5


def test_a_loss_has_only_what_concerns_it(told):
    """Squared errors have no classes; all losses together have both."""
    mse, cross_entropy, everything = (told("suppose", *words) for words in (["mse"], ["cross-entropy"], []))
    names = [{tuple(row.split("\t")[:2]) for row in text.splitlines()} for text in (mse, cross_entropy)]
    of_all = [tuple(row.split("\t")[:2]) for row in everything.splitlines()]

    assert ("aggregation", "class=NUMBER") in names[1] - names[0]
    assert names[0] | names[1] < set(of_all)
    assert len(of_all) == len(set(of_all))


def test_json_and_tables(told):
    """The same in JSON, as objects; and a table for each stage."""
    found = json.loads(told("suppose", "mse", "--json"))
    assert found == json.loads(told("suppose", "mse", "-f", "json"))
    assert {tuple(each) for each in found} == {("stage", "name", "meaning")}
    assert len(found) == len(told("suppose", "mse", "-f", "plain").splitlines())
    table = told("suppose", "mse", "-f", "table")
    assert [line for line in table.splitlines() if line in STAGES] == [
        stage for stage in STAGES if any(each["stage"] == stage for each in found)
    ]


def test_every_loss_has_a_list(told):
    """Something can be supposed of each loss."""
    for name in losses():
        assert told("suppose", name)


def test_no_loss(capsys):
    """An activation, or an unknown name, is wrong usage."""
    assert cli.run(["suppose", "softmax"]) == 2
    assert cli.run(["suppose", "crossentropyy"]) == 2
    assert "did you mean cross-entropy?" in capsys.readouterr().err
