"""Every hint of the package, read from its sources; and the tables of hints that are followed.

A table is a file of tests/data/hints. Its blocks have blank lines between them, and their lines begin with

    @ NAME: LINE / LINE       a file of text           @ NAME = EXPRESSION   a file, by its bytes in Python
    $ COMMAND                 what is typed first      ? HINT                the hint that it gets
    > COMMAND                 what is typed next, in which ... stands for the first command
    = NUMBERS                 what comes out then, or  ! MESSAGE             the error that comes then, or
    ~ TEXT                    what is printed then

A block of files alone is for all blocks below it. A command that begins with >>> is Python, and one that
does not begin with losscalc is for the shell. Comments begin with #.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import losscalc
from losscalc.errors import name_arguments

PACKAGE = Path(losscalc.__file__).parent
TABLES = Path(__file__).parents[1] / "data" / "hints"
ANY = "ANYTHING"
"""Stands for what is put into a text when it is shown."""


class Step(NamedTuple):
    """A command that follows a hint, and what comes of it."""

    command: str
    kind: str
    outcome: str


class Followed(NamedTuple):
    """A command, its hint and what follows."""

    place: str
    files: dict[str, str]
    command: str
    hint: str
    steps: tuple[Step, ...]


def followed() -> Iterator[Followed]:
    """All blocks of all tables."""
    for path in sorted(TABLES.glob("*.txt")):
        common: dict[str, str] = {}
        number = 1
        for block in path.read_text("utf-8").split("\n\n"):
            found = [line for line in block.splitlines() if line and not line.startswith("#")]
            files = {match[1]: line for line in found if (match := re.match("@ (.+?)(?:: | = )", line))}
            if len(files) == len(found):
                common |= files
            else:
                yield _block(f"{path.stem}:{number}", common | files, found[len(files) :])
            number += block.count("\n") + 2


def _block(place: str, files: dict[str, str], lines: list[str]) -> Followed:
    command, hint, *rest = lines
    assert (command[:2], hint[:2]) == ("$ ", "? "), (place, command, hint)
    steps = []
    for typed, outcome in zip(rest[::2], rest[1::2], strict=True):
        assert (typed[:2], outcome[0] in "=!~") == ("> ", True), (place, typed, outcome)
        steps.append(Step(typed[2:].replace("...", command[2:]), outcome[0], outcome[2:]))
    return Followed(place, files, command[2:], hint[2:], tuple(steps))


class Module:
    """A module, in which names and calls are replaced by the texts that they may stand for."""

    def __init__(self, path: Path) -> None:
        self.tree = ast.parse(path.read_text("utf-8"))
        nodes = list(ast.walk(self.tree))
        self.functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
        self.origins = {
            alias.name: node.module
            for node in nodes
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("losscalc.")
            for alias in node.names
        }

    def hints(self) -> Iterator[str]:
        """The texts of all hints that the module gives: what is called so, and doubts about rows."""
        for scope in (self.tree, *self.functions.values()):
            for node in ast.walk(scope):
                match node:
                    case ast.keyword(arg="hint", value=value):
                        yield from self.texts(value, scope)
                    case ast.Assign(targets=[ast.Attribute(attr="hint")], value=value):
                        yield from self.texts(value, scope)
                    case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.endswith("_HINTS"):
                        yield from self.texts(value, scope)
                    case ast.FunctionDef(name="doubt"):
                        yield from self.returned("doubt")

    def texts(self, node: ast.AST | None, scope: ast.AST) -> Iterator[str]:
        """The texts that an expression in a function may come to."""
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr(values=parts):
                yield "".join(part.value if isinstance(part, ast.Constant) else ANY for part in parts)
            case ast.IfExp(body=one, orelse=other):
                yield from self.texts(one, scope)
                yield from self.texts(other, scope)
            case ast.BoolOp(values=values) | ast.Dict(values=values) | ast.List(elts=values):
                for value in values:
                    yield from self.texts(value, scope)
            case (
                ast.Call(func=ast.Name(id="printable") | ast.Attribute(attr="join"), args=[value])
                | ast.GeneratorExp(elt=value)
            ):
                yield from self.texts(value, scope)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get")) | ast.Name(id=name):
                for value in self.assigned(name, scope):
                    yield from self.texts(value, scope)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="self"), attr=name)):
                yield from self.returned(name)
                # What a function passes on: sentences, and not the names of things.
                for value in node.args:
                    if isinstance(value, ast.Constant) and " " in str(value.value):
                        yield str(value.value)

    def assigned(self, name: str, scope: ast.AST) -> Iterator[ast.AST]:
        """What is assigned to a name in a function or in the module, or appended to a list of that name."""
        for node in (*(() if scope is self.tree else ast.walk(scope)), *self.tree.body):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=target), attr="append"), args=[value]):
                    yield from [value] * (target == name)
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    yield value
                case ast.NamedExpr(target=ast.Name(id=target), value=value) if target == name:
                    yield value

    def returned(self, name: str) -> Iterator[str]:
        """The texts that a function may return."""
        if name in self.functions:
            function = self.functions[name]
            for node in ast.walk(function):
                if isinstance(node, ast.Return):
                    yield from self.texts(node.value, function)
        elif name in self.origins:
            yield from module(self.origins[name]).returned(name)


@cache
def module(name: str) -> Module:
    """The module of a name."""
    path = PACKAGE.joinpath(*name.split(".")[1:])
    return Module(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))


@cache
def patterns() -> dict[str, str]:
    """The hints as users see them, as regular expressions, and a module that gives each."""
    found: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(("losscalc", *path.relative_to(PACKAGE).with_suffix("").parts))
        for text in module(name.removesuffix(".__init__")).hints():
            found.setdefault(re.escape(name_arguments(text)).replace(ANY, ".*"), name)
    return found
