"""JSON as pandas, model servers and training code leave it behind: read right, or refused with what to type."""

# ruff: noqa: E501 - a row of a table is a line

import contextlib
import json
import math

import pytest

from losscalc import cli
from losscalc.inputs.address import open_array, parse_address
from losscalc.inputs.contents import beside
from losscalc.inputs.options import Reading
from tests.inputs.test_tables import hinted_part, refused, values
from tests.support.hostile import accept

# All by pandas 3.1.1, of
# df = DataFrame({"id": [7, 9, 8], "p": [0.5, 0.25, 0.125], "y": [1, 0, 1], "c": ["cat", "dog", "cat"]})
# and to_json with the orient that is the name, or the call that is the comment.
FRAMES = {
    "records": '[{"id":7,"p":0.5,"y":1,"c":"cat"},{"id":9,"p":0.25,"y":0,"c":"dog"},{"id":8,"p":0.125,"y":1,"c":"cat"}]',
    # orient="records", lines=True
    "lines": '{"id":7,"p":0.5,"y":1,"c":"cat"}\n{"id":9,"p":0.25,"y":0,"c":"dog"}\n{"id":8,"p":0.125,"y":1,"c":"cat"}\n',
    "split": '{"columns":["id","p","y","c"],"index":[0,1,2],"data":[[7,0.5,1,"cat"],[9,0.25,0,"dog"],[8,0.125,1,"cat"]]}',
    # orient="split", index=False
    "data": '{"columns":["id","p","y","c"],"data":[[7,0.5,1,"cat"],[9,0.25,0,"dog"],[8,0.125,1,"cat"]]}',
    "columns": '{"id":{"0":7,"1":9,"2":8},"p":{"0":0.5,"1":0.25,"2":0.125},"y":{"0":1,"1":0,"2":1},"c":{"0":"cat","1":"dog","2":"cat"}}',
    "index": '{"0":{"id":7,"p":0.5,"y":1,"c":"cat"},"1":{"id":9,"p":0.25,"y":0,"c":"dog"},"2":{"id":8,"p":0.125,"y":1,"c":"cat"}}',
    "table": '{"schema":{"fields":[{"name":"index","type":"integer"},{"name":"id","type":"integer"},{"name":"p","type":"number"},{"name":"y","type":"integer"},{"name":"c","type":"string","extDtype":"str"}],"primaryKey":["index"],"pandas_version":"1.4.0"},"data":[{"index":0,"id":7,"p":0.5,"y":1,"c":"cat"},{"index":1,"id":9,"p":0.25,"y":0,"c":"dog"},{"index":2,"id":8,"p":0.125,"y":1,"c":"cat"}]}',
}  # fmt: skip
# The same of df[["p", "y"]].
NUMBERS = {
    "records": '[{"p":0.5,"y":1},{"p":0.25,"y":0},{"p":0.125,"y":1}]',
    "lines": '{"p":0.5,"y":1}\n{"p":0.25,"y":0}\n{"p":0.125,"y":1}\n',
    "split": '{"columns":["p","y"],"index":[0,1,2],"data":[[0.5,1],[0.25,0],[0.125,1]]}',
    "data": '{"columns":["p","y"],"data":[[0.5,1],[0.25,0],[0.125,1]]}',
    "columns": '{"p":{"0":0.5,"1":0.25,"2":0.125},"y":{"0":1,"1":0,"2":1}}',
    "index": '{"0":{"p":0.5,"y":1},"1":{"p":0.25,"y":0},"2":{"p":0.125,"y":1}}',
    "table": '{"schema":{"fields":[{"name":"index","type":"integer"},{"name":"p","type":"number"},{"name":"y","type":"integer"}],"primaryKey":["index"],"pandas_version":"1.4.0"},"data":[{"index":0,"p":0.5,"y":1},{"index":1,"p":0.25,"y":0},{"index":2,"p":0.125,"y":1}]}',
    "values": "[[0.5,1],[0.25,0],[0.125,1]]",
}  # fmt: skip
ROWS = [[0.5, 1], [0.25, 0], [0.125, 1]]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(folder, text: str, name: str = "f") -> str:
    """Write a document or JSON lines, and say how the file is called."""
    name = f"{name}.{'jsonl' if text.count(chr(10)) else 'json'}"
    (folder / name).write_text(text, encoding="utf-8")
    return name


def opened(address: str, **reading):
    """The source at an address, whose file is closed in the end."""
    return contextlib.closing(open_array(parse_address(address), "--input", Reading(**reading)))


def cells(address: str, **reading) -> list:
    """The texts and numbers at an address."""
    return values(address, is_beside=True, **reading)


@pytest.mark.parametrize("orient", FRAMES)
def test_columns_of_frames(capsys, folder, orient):
    """A column has its name in every orientation: -(ln 0.5 + ln 0.75 + ln 0.125) / 3 by hand."""
    name = put(folder, FRAMES[orient])
    expected = -(math.log(0.5) + math.log(0.75) + math.log(0.125)) / 3
    assert float(accept(capsys, ["bce", "-i", f"{name}#p", "-t", f"{name}#y"])) == pytest.approx(expected)
    assert values(f"{name}#id") == [7, 9, 8]
    assert values(f"{name}#3") == [1, 0, 1]
    for part in ("p-y", "2-3", "[py]", "^id,c"):
        assert values(f"{name}#{part}") == ROWS
    assert cells(f"{name}#c") == ["cat", "dog", "cat"]


@pytest.mark.parametrize("orient", FRAMES)
def test_frames_as_a_whole(capsys, folder, orient):
    """Ids, words and labels are no data; columns that options name are left out, and the target is refused."""
    name = put(folder, FRAMES[orient])
    message, hint = refused(capsys, "sigmoid", "-i", name)
    assert message == f"{name}: column 1 (id) identifies rows, and is not data"
    assert values(f"{name}{hinted_part(hint)}") == [p for p, _ in ROWS]
    message, _ = refused(capsys, "l1", "-i", name, "-t", f"{name}#y")
    assert "column 1 (id) identifies" in message
    with opened(name, key="id", where=("c=cat",)) as source:
        assert (source.whole().tolist(), source.names) == (ROWS, ["p", "y"])
        assert {"id", "p", "y", "c"} <= {*source.beside}


@pytest.mark.parametrize("orient", NUMBERS)
def test_frames_of_numbers(capsys, folder, orient):
    """They are a matrix, of which the column that is the target is no part."""
    name = put(folder, NUMBERS[orient])
    assert values(name) == ROWS
    target = "#/*/1" if orient == "values" else "#y"
    message, hint = refused(capsys, "l1", "-i", name, "-t", f"{name}{target}")
    assert message.endswith("is the array of --target")
    assert values(f"{name}{hinted_part(hint)}") == [0.5, 0.25, 0.125]


def test_a_target_inside_rows_of_lists(capsys, folder):
    """Lists in lists have columns where one of them is the target, behind a pointer and in lines, too."""
    for text, part, target in (
        ("[[7,0.5,1],[8,0.25,0]]", "", "#/*/2"),
        ('{"n":1,"x":[[7,0.5,1],[8,0.25,0]]}', "#/x", "#/x/*/2"),
        ("[7,0.5,1]\n[8,0.25,0]\n", "", "#/2"),
    ):
        name = put(folder, text)
        message, hint = refused(capsys, "cross-entropy", "-i", f"{name}{part}", "-t", f"{name}{target}")
        assert message == f"{name}: column 3 (2) is the array of --target"
        assert values(f"{name}{hinted_part(hint)}") == [[7, 0.5], [8, 0.25]]
        message, _ = refused(capsys, "l1", "-i", f"{name}#2", "-t", f"{name}{target}")
        assert "the number may mean either" in message or "no such member" in message


@pytest.mark.parametrize("orient", ["split", "columns", "index", "table"])
def test_labels_of_rows(folder, orient):
    """The index is no data, and there for who asks for it."""
    name = put(folder, FRAMES[orient].replace('"1":', '"11":').replace("[0,1,2]", "[0,11,2]"))
    with opened(name, key="id", where=("c=cat",)) as source:
        assert source.beside[-1] == "index"
    assert [float(label) for label in cells(f"{name}#index")] == [0, 1 if orient == "table" else 11, 2]


@pytest.mark.parametrize(
    ("text", "part", "rows"),
    [
        # df.set_index("id").to_json(): rows in the order in which they are written
        ('{"p":{"7":0.5,"9":0.25,"8":0.125},"y":{"7":1,"9":0,"8":1}}', "#p", [0.5, 0.25, 0.125]),
        ('{"p":{"7":0.5,"9":0.25},"y":{"9":0,"7":1}}', "", [[0.5, 1], [0.25, 0]]),
        # df["p"].to_json(orient=...)
        ('{"0":0.5,"1":0.25,"2":0.125}', "", [0.5, 0.25, 0.125]),
        ('{"7":0.5,"3":0.25}', "", [0.5, 0.25]),
        ('{"name":"p","index":[0,1,2],"data":[0.5,0.25,0.125]}', "", [0.5, 0.25, 0.125]),
        ('{"name":"p","index":[0,1,2],"data":[0.5,0.25,0.125]}', "#p", [0.5, 0.25, 0.125]),
        ('{"name":null,"index":[0,1],"data":[0.5,0.25]}', "", [0.5, 0.25]),
        # DataFrame([[2.0, 1, 0], [0, 3, 1]]).to_json(orient=...)
        ('{"columns":[0,1,2],"index":[0,1],"data":[[2.0,1,0],[0.0,3,1]]}', "", [[2, 1, 0], [0, 3, 1]]),
        ('{"columns":[0,1,2],"index":[0,1],"data":[[2.0,1,0],[0.0,3,1]]}', "#0,2", [[2, 0], [0, 1]]),
        ('{"0":{"0":2.0,"1":0.0},"1":{"0":1,"1":3},"2":{"0":0,"1":1}}', "", [[2, 1, 0], [0, 3, 1]]),
        ('{"0":{"0":2.0,"1":0.0},"1":{"0":1,"1":3},"2":{"0":0,"1":1}}', "#2", [0, 1]),
        ('[{"0":2.0,"1":1,"2":0},{"0":0.0,"1":3,"2":1}]', "", [[2, 1, 0], [0, 3, 1]]),
        # DataFrame({"logits": [[2.0, 1, 0], [0, 3, 1]], "label": [0, 1]}).to_json()
        ('{"logits":{"0":[2.0,1,0],"1":[0,3,1]},"label":{"0":0,"1":1}}', "#logits", [[2, 1, 0], [0, 3, 1]]),
        # DataFrame({"p": [.5, .25]}, index=to_datetime(["2024-01-01", "2024-01-02"])).to_json(date_format=...)
        ('{"p":{"1704067200000":0.5,"1704153600000":0.25}}', "", [0.5, 0.25]),
        ('{"p":{"2024-01-01T00:00:00.000":0.5,"2024-01-02T00:00:00.000":0.25}}', "#p", [0.5, 0.25]),
        # DataFrame({("a", "p"): [.5, .25], ("a", "y"): [1, 0]}).to_json(orient=...)
        ('{"columns":[["a","p"],["a","y"]],"index":[0,1],"data":[[0.5,1],[0.25,0]]}', "#('a', 'y')", [1, 0]),
        ('{"('
         "'a', 'p')\":{\"0\":0.5,\"1\":0.25},\"('a', 'y')\":{\"0\":1,\"1\":0}}", "#('a', 'y')", [1, 0]),
        # df.set_index(["id", "y"]).to_json()
        ('{"p":{"(7, 1)":0.5,"(9, 0)":0.25}}', "", [0.5, 0.25]),
        # DataFrame({"p": [.5, .25], "q": [1., 2.]}, index=["a", "b"]).to_json(orient="index"), and to_json()
        ('{"a":{"p":0.5,"q":1.0},"b":{"p":0.25,"q":2.0}}', "#p-q", [[0.5, 1], [0.25, 2]]),
        ('{"p":{"a":0.5,"b":0.25},"q":{"a":1.0,"b":2.0}}', "#p", [0.5, 0.25]),
        ('{"p":{"a":0.5,"b":0.25},"q":{"a":1.0,"b":2.0}}', "#p-q", [[0.5, 1], [0.25, 2]]),
        # a dict of records, of which not all have all members
        ('{"a.png":{"p":0.5},"b.png":{"p":0.25,"q":1}}', "#p", [0.5, 0.25]),
        ('{"a.png":{"p":0.5},"b.png":{"p":0.25}}', "#/*/p", [0.5, 0.25]),
        # DataFrame.to_dict("list"), and what a script dumps
        ('{"p":[0.5,0.25],"y":[1,0],"q":[3,4]}', "#p", [0.5, 0.25]),
        ('{"p":[0.5,0.25],"y":[1,0],"q":[3,4]}', "#^y", [[0.5, 3], [0.25, 4]]),
        ('{"p":[0.5,0.25],"y":[1,0,1]}', "#y", [1, 0, 1]),
        ('{"train":{"p":[0.5,0.25]},"val":{"p":[1]}}', "#/train/p", [0.5, 0.25]),
        ('{"train":{"p":{"0":0.5,"1":0.25},"y":{"0":1,"1":0}},"val":{"x":1}}', "#/train/p", [0.5, 0.25]),
        ('{"train":{"columns":["p","y"],"data":[[0.5,1],[0.25,0]]},"n":2}', "#/train/y", [1, 0]),
        ('{"train":{"columns":["p","y"],"data":[[0.5,1],[0.25,0]]},"n":2}', "#/train", [[0.5, 1], [0.25, 0]]),
    ],
)  # fmt: skip
def test_orientations(folder, text, part, rows):
    """Rows and columns stand where they stand in the frame that was written."""
    name = put(folder, text)
    assert values(f"{name}{part}") == rows


def test_numbered_columns_of_numbered_rows(capsys, folder):
    """They are taken as pandas writes them by default, with a note that leads to the other reading."""
    name = put(folder, '{"0":{"0":0.5,"1":0.1},"1":{"0":0.25,"1":0.2}}')
    for part, rows, others in (
        ("", [[0.5, 0.25], [0.1, 0.2]], [[0.5, 0.1], [0.25, 0.2]]),
        ("#1", [0.25, 0.2], [0.1, 0.2]),
    ):
        with opened(f"{name}{part}") as source:
            (note,) = source.remarks
            assert "each member is taken as a column" in note.problem
            assert source.whole().tolist() == rows
            assert values(f"{name}{hinted_part(note.hint)}") == others
    # DataFrame(...).to_json(orient="index") with the names of files looks like columns of numbered rows.
    with opened(put(folder, '{"i.png":{"0":2,"1":1},"j.png":{"0":0,"1":3}}', "g")) as source:
        assert source.whole().tolist() == [[2, 0], [1, 3]]
        assert values(f"g.json{hinted_part(source.remarks[0].hint)}") == [[2, 1], [0, 3]]
    assert cli.run(["sigmoid", "-i", name]) == 0
    assert "losscalc: note: f.json: each member is taken as a column" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["", "#2", "#b"])
def test_objects_that_may_be_columns_or_rows(capsys, folder, part):
    """Where no name decides, both readings are named, and lead to what they say."""
    text = '{"a":{"p":0.5,"q":1},"c":{"p":0.25,"q":0}}'
    name = put(folder, text.replace('"c"', '"b"').replace('"q"', '"b"') if part == "#b" else text)
    message, hint = refused(capsys, "sigmoid", "-i", f"{name}{part}")
    assert message == f"{name}{part}: the members of the object may be columns or rows"
    column, row = (values(f"{name}{hinted_part(half)}") for half in hint.split(";"))
    assert column == ([0.25, 0] if part else [[0.5, 0.25], [1, 0]])
    assert row == ([1, 0] if part else [[0.5, 1], [0.25, 0]])


@pytest.mark.parametrize(
    ("text", "part", "says", "hint"),
    [
        ('{"train":{"p":[1,2]},"val":{"p":[3]}}', "", "an object where a list of numbers is expected", "name a member: #/train, #/val"),
        ('{"train":{"p":[1,2]},"val":{"p":[3]}}', "#p", "there is no such member, found 'p'", "did you mean #/train/p?"),
        ('{"p":[1,2],"y":[0,1]}', "", "an object where a list of numbers is expected", "name a member: #/p, #/y"),
        ('{"loss":0.5,"acc":0.9}', "", "an object where a list of numbers is expected", "name a member: #/loss, #/acc"),
        ('{"a":{"p":1},"b":{"q":2}}', "", "an object where a list of numbers is expected", "if its members are rows: '#/*'"),
        ('{"p":{"0":1,"1":2},"y":{"1":3,"2":4}}', "#p", "the members have the numbers of different rows, found 'p'", "#/p takes one alone"),
        ('{"1":3,"0":1}', "", "the members are numbered from 0, and not in this order", "'#/*' takes them in the order in which they are written"),
        ('{"model":"m","results":[{"p":0.5}]}', "#p", "there is no such member, found 'p'", "did you mean '#/results/*/p'?"),
        ('[{"p":0.5,"c":{"x":1}}]', "#c", "an object where a number should be", "name a member: '#/*/c/x'"),
        ('[{"p":[1,2],"q":1}]', "", "column 1 (p) holds lists, and is an array of its own", "take it alone: #p"),
        ('[["a",0.5,1],["b",0.25,0]]', "", "column 1 (0) holds words", "take the columns of the array: '#/*/1-2'"),
        ("[[7,0.5,1],[8,0.25,0]]", "#2-", "columns of tables are counted from 1 and items of JSON from 0: the number may mean either, found '2-'", "columns 2-, counted from 1, are '#/*/1-2'"),
        ("[[7,0.5,1],[8,0.25,0]]", "#/*/1,3", "the list has 3 items, found '3'", None),
        ('{"columns":["a","b"],"data":[[1,2],[3]]}', "#a", "f.json#/data[1]: the row has 1 item, but there are 2 columns", None),
        ('{"i.png":{"0":2.0,"1":1},"j.png":{"0":0,"1":3}}', "#0", "there is no such column, found '0'", "if each member is a row: '#/*/0'"),
        ('[{"log p":0.5}]', "#p", "there is no such column, found 'p'", "the columns are log p"),
    ],
)  # fmt: skip
def test_refusals_lead_on(capsys, folder, text, part, says, hint):
    """What may mean several things is refused with the part to type."""
    name = put(folder, text)
    message, found = refused(capsys, "sigmoid", "-i", f"{name}{part}")
    assert message.endswith(says)
    assert found == (hint or "")


@pytest.mark.parametrize(
    ("text", "part", "rows"),
    [
        ('{"predictions":[{"id":"a","p":0.5},{"id":"b","p":0.25}]}', "#p", [0.5, 0.25]),
        ('{"predictions":[{"id":"a","p":0.5},{"id":"b","p":0.25}]}', "#/predictions/*/p", [0.5, 0.25]),
        ('{"n":2,"results":[{"id":"a","p":0.5,"q":1},{"id":"b","p":0.25,"q":2}]}', "#/results/*/^id", [[0.5, 1], [0.25, 2]]),
        ('{"n":2,"results":[{"p":0.5,"q":1},{"p":0.25,"q":2}]}', "#/results", [[0.5, 1], [0.25, 2]]),
        ('{"n":2,"results":[{"p":0.5,"q":1},{"p":0.25,"q":2}]}', "#results", [[0.5, 1], [0.25, 2]]),
        # TensorFlow Serving, in rows and in columns
        ('{"predictions":[[0.1,0.9],[0.8,0.2]]}', "", [[0.1, 0.9], [0.8, 0.2]]),
        ('{"instances":[[0.1,0.9],[0.8,0.2]]}', "", [[0.1, 0.9], [0.8, 0.2]]),
        ('{"outputs":{"probs":[[0.1,0.9]],"classes":[1]}}', "#probs", [[0.1, 0.9]]),
        ('{"outputs":{"probs":[[0.1,0.9]]}}', "", [[0.1, 0.9]]),
        ("[[7,0.5,1],[8,0.25,0]]", "#/*/1-", [[0.5, 1], [0.25, 0]]),
        ("[[7,0.5,1],[8,0.25,0]]", "#/*/^0", [[0.5, 1], [0.25, 0]]),
        ("[[7,0.5,1],[8,0.25,0]]", "#", [[7, 0.5, 1], [8, 0.25, 0]]),
        ("[7,0.5,1]\n[8,0.25,0]\n", "#/1-2", [[0.5, 1], [0.25, 0]]),
        ('{"id":1,"out":{"p":[0.5,2]}}\n{"out":{"p":[0.25,3]},"id":2}\n', "#/out/p", [[0.5, 2], [0.25, 3]]),
        ('{"id":1,"logits":[0.5,2]}\n{"logits":[0.25,3],"id":2}\n', "#/logits/0", [0.5, 0.25]),
        ('{"id":1,"logits":[0.5,2]}\n{"logits":[0.25,3],"id":2}\n', "#logits", [[0.5, 2], [0.25, 3]]),
        ('[{"p":[0.5]},{"p":[0.25]}]', "#p", [[0.5], [0.25]]),
        ('[{"p":0.5,"q":2},{"q":3,"p":0.25}]', "", [[0.5, 2], [0.25, 3]]),
        ('[{"p":"0.5","q":true},{"q":false,"p":"1e3"}]', "", [[0.5, 1], [1000, 0]]),
        ('[[{"p":1},{"p":2}],[{"p":3},{"p":4}]]', "#p", [[1, 2], [3, 4]]),
    ],
)  # fmt: skip
def test_wrappers_and_records(folder, text, part, rows):
    """Records are found behind what wraps them, by name where that can mean only one thing."""
    name = put(folder, text)
    assert values(f"{name}{part}") == rows


# The example of the Open Inference Protocol (KServe, version 2), and what it allows besides.
SERVER = json.dumps(
    {
        "model_name": "m",
        "outputs": [
            {"name": "logits", "shape": [2, 3], "datatype": "FP32", "data": [2, 1, 0, 0, 3, 1]},
            {"name": "nested", "shape": [2, 2], "datatype": "FP32", "data": [[1, 2], [3, 4]]},
            {"name": "cube", "shape": [1, 2, 2], "datatype": "INT64", "data": [1, 2, 3, 4]},
            {"name": "mask", "shape": [2], "datatype": "BOOL", "data": [True, False]},
            {"name": "words", "shape": [2], "datatype": "BYTES", "data": ["cat", "dog"]},
            {"name": "few", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3]},
            {"name": "turned", "shape": [3, 2], "datatype": "FP32", "data": [[1, 2, 3], [4, 5, 6]]},
            {"name": "far", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}},
            {"name": "odd", "shape": [2.5], "datatype": "FP32", "data": [1]},
        ],
    }
)


def test_tensors_of_model_servers(capsys, folder):
    """A tensor has a name and its shape; the only one of an answer needs no name. 0.1809 as in PyTorch."""
    name = put(folder, SERVER)
    assert values(f"{name}#logits") == [[2, 1, 0], [0, 3, 1]]
    assert values(f"{name}#nested") == [[1, 2], [3, 4]]
    assert values(f"{name}#cube") == [[[1, 2], [3, 4]]]
    assert values(f"{name}#mask") == [1, 0]
    assert cells(f"{name}#words") == ["cat", "dog"]
    one = put(
        folder, '{"id":"1","outputs":[{"name":"y","shape":[2,1],"datatype":"FP32","data":[1,2]}]}', "one"
    )
    assert values(one) == values(f"{one}#y") == [[1], [2]]
    arguments = ["cross-entropy", "-i", f"{name}#logits", "-t", "0,1"]
    # -(2 - ln(e^2 + e + 1) + 3 - ln(1 + e^3 + e)) / 2
    assert float(accept(capsys, arguments)) == pytest.approx(0.2887259920, abs=1e-9)


@pytest.mark.parametrize(
    ("part", "place", "says"),
    [
        ("", "", "the JSON holds 9 arrays"),
        ("#logit", "", "there is no such array, found 'logit'"),
        ("#words", "#words[0]", "not a number, found '\"cat\"'"),
        ("#few", "#few", "the tensor has 3 values, and its shape is [2, 2]"),
        ("#turned", "#turned", "the tensor has 2 x 3 values, and its shape is [3, 2]"),
        ("#far", "#far", "the numbers of the tensor are not in the JSON"),
        ("#odd", "#odd", "the tensor has a bad shape"),
    ],
)
def test_tensors_that_are_none(capsys, folder, part, place, says):
    """What does not fit its shape is refused with the name."""
    name = put(folder, SERVER)
    message, _ = refused(capsys, "sigmoid", "-i", f"{name}{part}")
    assert message == f"{name}{place}: {says}"


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ('["cat","dog"]', "", ["cat", "dog"]),
        ('"cat"\n"dog"\n', "", ["cat", "dog"]),
        ('{"labels":["cat","dog"],"n":2}', "#/labels", ["cat", "dog"]),
        ('{"0":"cat","1":"dog"}', "", ["cat", "dog"]),
        ('[["cat","dog"],["dog","cat"]]', "", [["cat", "dog"], ["dog", "cat"]]),
        ('[["a",1],["b",2]]', "#/*/0", ["a", "b"]),
        ('[{"c":"cat"},{"c":null},{"d":1},{"c":3},{"c":true},{"c":"007"}]', "#c", ["cat", "", "", 3, "true", "007"]),
        ("[1,2]", "", [1, 2]),
        ("[1,9007199254740993]", "", [1, "9007199254740993"]),
        ('{"id":9007199254740993}\n{"id":0.5}\n', "#id", ["9007199254740993", 0.5]),
        ("[[1,0],[0,1]]", "", [[1, 0], [0, 1]]),
    ],
)  # fmt: skip
def test_cells(folder, text, part, expected):
    """Texts stay texts, and numbers numbers with all their digits."""
    assert cells(f"{put(folder, text)}{part}") == expected


def test_cells_of_a_literal():
    """A list on the command line may hold the names of classes."""
    assert cells('["cat","dog"]') == ["cat", "dog"]
    assert values('[{"p":1},{"p":2}]') == [1, 2]


@pytest.mark.parametrize(
    ("text", "part", "name", "expected"),
    [
        ('[{"p":1,"id":"a"},{"p":2,"id":"b"}]', "p", "id", ["a", "b"]),
        ('{"p":[1,2],"id":["a","b"]}', "p", "id", ["a", "b"]),
        ('{"r":[{"p":1,"id":"a"},{"p":2,"id":"b"}],"n":2}', "/r/*/p", "id", ["a", "b"]),
        ('{"r":[{"l":[1,2],"id":"a"},{"l":[1,2],"id":"b"}],"n":2}', "/r/*/l/0", "id", ["a", "b"]),
        ('{"r":[{"p":1,"q":2,"id":"a"},{"p":2,"q":3,"id":"b"}],"n":2}', "/r", "id", ["a", "b"]),
        ('{"val":{"p":[1,2],"id":["a","b"]},"id":[3,4]}', "/val/p", "id", ["a", "b"]),
        ('{"val":{"p":[1,2]},"id":["a","b"]}', "/val/p", "id", ["a", "b"]),
        ('{"val":{"columns":["p","id"],"data":[[1,"a"],[2,"b"]]},"n":1}', "/val", "id", ["a", "b"]),
        ('{"out":{"p":1},"id":"a"}\n{"out":{"p":2},"id":"b"}\n', "/out/p", "id", ["a", "b"]),
        ('{"out":{"p":1,"id":"a"},"id":1}\n{"out":{"p":2,"id":"b"},"id":2}\n', "/out/p", "id", ["a", "b"]),
        ('{"l":[1,2],"id":"a"}\n{"l":[3,4],"id":"b"}\n', "/l/0", "id", ["a", "b"]),
        ('{"l":[1,2],"a/b":"a"}\n{"l":[3,4],"a/b":"b"}\n', "/l/0", "a/b", ["a", "b"]),
        ('{"p":{"0":1,"1":2},"id":{"0":"a","1":"b"}}', "p", "id", ["a", "b"]),
        ('{"7":{"p":1},"9":{"p":2}}', "p", "index", ["7", "9"]),
    ],
)  # fmt: skip
def test_columns_beside(folder, text, part, name, expected):
    """The column that belongs to the same rows is found wherever the array is."""
    path = put(folder, text)
    assert cells(f"{path}#{beside(part, name)}") == expected


@pytest.mark.parametrize(
    ("text", "part", "beside"),
    [
        ('[{"p":1,"id":2},{"id":3,"p":4,"q":5}]', "#p", ["p", "id", "q"]),
        ('{"r":[{"p":1,"id":2}],"n":2}', "#/r/*/p", ["p", "id"]),
        ('{"r":[{"l":[1,2],"id":2}],"n":2}', "#/r/*/l/0", ["l", "id"]),
        ('{"val":{"p":[1,2],"id":["a","b"],"n":2}}', "#/val/p", ["p", "id"]),
        ('{"p":[1,2],"id":["a","b"],"n":2}', "#p", ["p", "id"]),
        ('{"out":{"p":1},"id":"a"}\n{"out":{"p":2},"id":"b"}\n', "#/out/p", ["out", "id"]),
        ('{"p":{"0":1,"1":2},"y":{"0":1,"1":0}}', "#p", ["p", "y", "index"]),
        ("[1,2]", "", []),
    ],
)  # fmt: skip
def test_names_beside(folder, text, part, beside):
    """An array knows the names that belong to its rows."""
    with opened(f"{put(folder, text)}{part}") as source:
        assert list(source.beside) == beside


GAPS = [
    {"p": 1, "l": [1, 2]},
    {"l": None},
    {"p": "x", "l": [5]},
    {"p": None, "l": [7, "y"]},
    {"p": 4, "l": [8, 9]},
]


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_rows_that_cannot_be_read(folder, suffix):
    """Where conditions may leave rows out, a row that cannot be read comes with what is wrong with it."""
    text = json.dumps(GAPS) if suffix == "json" else "".join(f"{json.dumps(row)}\n" for row in GAPS)
    (folder / f"f.{suffix}").write_text(text)
    for part, wrong in (("p", [1, 2, 3]), ("l", [1, 2, 3])):
        with opened(f"f.{suffix}#{part}", where=("p=1",)) as source:
            rows = source.take(9)
            assert [row for row, _ in rows.faults] == wrong
            places = [str(fault.location) for _, fault in rows.faults]
            assert places[:2] == (
                [f"f.json#{part}[1]", f"f.json#{part}[2]"] if suffix == "json" else ["f.jsonl:2", "f.jsonl:3"]
            )
            assert rows.values[[0, 4]].tolist() == ([1, 4] if part == "p" else [[1, 2], [8, 9]])
    with opened(f"f.{suffix}#p", where=("p=1",), na="drop") as source:
        rows = source.take(9)
        assert ([row for row, _ in rows.faults], rows.missing.tolist()) == (
            [2],
            [False, True, True, True, False],
        )
    assert cells(f"f.{suffix}#p", where=("p=1",)) == [1, "", "x", "", 4]


def test_rows_of_a_document_that_cannot_be_read(folder):
    """The same holds for lists in lists, and for the columns of frames."""
    for text, part, wrong in (
        ('[[1,2],[3],"x",[4,null],[5,6]]', "", [1, 2, 3]),
        ('[1,"x",2]', "", [1]),
        ('{"p":{"0":1,"1":"x"},"y":{"0":1,"1":2}}', "#p", [1]),
        ('[{"p":1},2,{"p":3}]', "#p", [1]),
    ):
        with opened(f"{put(folder, text)}{part}", where=("p=1",)) as source:
            assert [row for row, _ in source.take(9).faults] == wrong


def test_gaps_are_dropped(capsys, folder):
    """A member that a record lacks is missing, and so is null where a list should be: (1 + 5) / 2, (1 + 2) / 2."""
    name = put(folder, '[{"p":1,"l":[1,2]},{"l":null},{"p":5,"l":[3,null]}]')
    assert float(accept(capsys, ["l1", "-i", f"{name}#p", "-t", "0,0,0", "--na", "drop", "-q"])) == 3
    arguments = ["l1", "-i", f"{name}#l", "-t", "[[0,0],[0,0],[0,0]]", "--na", "drop", "-q"]
    assert float(accept(capsys, arguments)) == 1.5
    message, hint = refused(capsys, "sigmoid", "-i", f"{name}#p")
    assert (message, hint) == (f"{name}#p[1]: there is no such member, found 'p'", "there are l")


@pytest.mark.parametrize("target", ["1,NA,0", "1,,0", "1, nan ,0", "[1,NaN,0]", "[1,null,0]", "f.json"])
def test_gaps_of_labels_are_dropped(capsys, folder, target):
    """However the label of the second row is missing: ln(1 + e^-1) and ln(1 + e) are left."""
    (folder / "f.json").write_text("[1, NaN, 0]")
    assert cli.run(["cross-entropy", "-i", "[[1,2],[3,4],[5,6]]", "-t", target, "--na", "drop"]) == 0
    output, error = capsys.readouterr()
    assert float(output) == pytest.approx(math.log1p(math.exp(-1)) + 0.5)
    assert error == "losscalc: warning: left out 1 row with a missing number\n"


def test_gaps_of_numbers_with_commas(capsys):
    """They are those of JSON: at the front, too, beside infinity and numbers that JSON would write otherwise."""
    assert cli.run(["l1", "-i", "NA,.5,-inf,+2.", "-t", "0,0,0,0", "--na", "drop", "-r", "none"]) == 0
    assert capsys.readouterr().out == "0.5\ninf\n2.0\n"
    assert values("-inf,null,+2.", na="nan") == pytest.approx([-math.inf, math.nan, 2], nan_ok=True)
    message, hint = refused(capsys, "mse", "-i", "1,2", "-t", "NA,1")
    assert message == "--target[0]: not a number, found 'NA'"
    assert hint == "--na drop leaves the row out, --na nan reads NaN"


def test_a_column_that_counts(capsys, folder):
    """The rule of tables: five rows that are counted are an index."""
    rows = [{"x": i, "p": i % 2 + 0.5, "q": 2.25} for i in range(5)]
    for text in (json.dumps(rows), "".join(f"{json.dumps(row)}\n" for row in rows)):
        name = put(folder, text)
        message, hint = refused(capsys, "sigmoid", "-i", name)
        assert message == f"{name}: column 1 (x) counts the rows, and is not data"
        assert values(f"{name}{hinted_part(hint)}") == [[row["p"], row["q"]] for row in rows]


def test_long_documents(capsys, folder):
    """A list of records that does not fit into one piece of text is read like a short one, places and all."""
    rows = [{"id": i, "p": i % 7 / 8, "c": "cat" if i % 2 else "dog\\]},"} for i in range(60_000)]
    name = put(folder, json.dumps(rows))
    wrapped = put(folder, json.dumps({"n": 1, "r": rows, "z": [1]}), "w")
    expected = [row["p"] for row in rows]
    for address in (f"{name}#p", f"{name}#/*/p", f"{wrapped}#/r/*/p"):
        assert values(address) == expected
    assert cells(f"{name}#c") == [row["c"] for row in rows]
    rows[50_000]["p"] = "x"
    (folder / "f.json").write_text(json.dumps(rows))
    message, _ = refused(capsys, "sigmoid", "-i", "f.json#p")
    assert message == "f.json#p[50000]: not a number, found '\"x\"'"
    (folder / "f.json").write_text(json.dumps(rows)[:-20] + "\n?")
    message, _ = refused(capsys, "l1", "-i", "f.json#id", "-t", "f.json#id")
    assert message.startswith("f.json:2:1: not JSON: ")


PIPELINE = '[[{"label":"b","score":0.9},{"label":"a","score":0.1}],[{"label":"a","score":0.8},{"label":"b","score":0.2}]]'
ZERO_SHOT = '[{"labels":["b","a"],"scores":[0.9,0.1]},{"labels":["a","b"],"scores":[0.8,0.2]}]'
PROBS = '{"p":{"a":0.1,"b":0.9}}\n{"p":{"b":0.2,"a":0.8}}\n'
TOP = '[[{"label":"b","score":0.9},{"label":"a","score":0.1}],[{"label":"c","score":0.8},{"label":"b","score":0.2}]]'


@pytest.mark.parametrize(
    ("text", "part", "says"),
    [
        (PIPELINE, "score", "#score[1]: by label, the items are a, b, and in the first row b, a"),
        (PIPELINE, "/*/*/score", "#/*/*/score[1]: by label, the items are a, b, and in the first row b, a"),
        (TOP, "score", "#score[1]: by label, the items are c, b, and in the first row b, a"),
        (
            f'{{"out":{PIPELINE}}}',
            "/out/*/*/score",
            "[1]: by label, the items are a, b, and in the first row b, a",
        ),
        (ZERO_SHOT, "scores", "#scores[1]: by labels, the items are a, b, and in the first row b, a"),
        (ZERO_SHOT, "/*/scores", "#/*/scores[1]: by labels, the items are a, b, and in the first row b, a"),
        (PROBS, "/p/*", ":2: by keys, the items are b, a, and in the first row a, b"),
    ],
)
def test_classes_in_another_order(capsys, folder, text, part, says):
    """Scores that are sorted in each row, or members of objects, are no columns: log-loss was 1.263 for 0.164."""
    message, hint = refused(capsys, "log-loss", "-i", f"{put(folder, text)}#{part}", "-t", "1,0")
    assert message.endswith(says)
    assert hint == "bring the items of all rows into one order, so that a column is one class"


@pytest.mark.parametrize(
    ("text", "part", "rows"),
    [
        ('[[{"label":"a","score":1},{"label":"b","score":2}],[{"label":"a","score":3},{"label":"b","score":4}]]', "score", [[1, 2], [3, 4]]),
        ('[[{"token":"a","lp":1},{"token":"b","lp":2}],[{"token":"a","lp":3},{"token":"c","lp":4}]]', "lp", [[1, 2], [3, 4]]),
        ('{"p":{"u":1,"v":2}}\n{"p":{"x":3,"y":4}}\n', "/p/*", [[1, 2], [3, 4]]),
        ('[{"labels":["a","b"],"scores":[1,2]},{"labels":["a","b"],"scores":[3,4]}]', "scores", [[1, 2], [3, 4]]),
        ('[{"label":"cat","score":1},{"label":"dog","score":2}]', "score", [1, 2]),
        ('[{"label":"POSITIVE","score":1},{"label":"POSITIVE","score":2}]', "score", [1, 2]),
    ],
)  # fmt: skip
def test_columns_of_one_order(folder, text, part, rows):
    """Labels that are alike in all rows, and words that are none, are no matter."""
    assert values(f"{put(folder, text)}#{part}") == rows


@pytest.mark.parametrize("part", ["score", "/*/score"])
def test_scores_of_the_label_beside_them(capsys, folder, part):
    """0.8 of NEGATIVE is 0.2 of POSITIVE."""
    name = put(folder, '[{"label":"POSITIVE","score":0.9},{"label":"NEGATIVE","score":0.8}]')
    message, hint = refused(capsys, "bce", "-i", f"{name}#{part}", "-t", "1,0")
    assert message.endswith("[1]: a score is that of the label beside it, and these differ, found 'NEGATIVE'")
    assert hint == "ask for the scores of all labels, with top_k=None, and name those of one"
