"""Reading the text form of a graph; the grammar stands above each function.

In comes text, out comes a `Parsed`, from which `graph` makes the graph once the constants
stored apart are at hand.  An error names file, line and column and shows the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from zhisuan.base.dtype import DType, dtype
from zhisuan.base.errors import SourcePos, ZhisuanError
from zhisuan.graph import dims
from zhisuan.graph.dims import Shape
from zhisuan.graph.ir import Graph, Node, Value
from zhisuan.graph.registry import find

PLAIN_NAME = re.compile(r"[\w./:-]+")
_WORD = re.compile(r"\w+")
_TYPE = re.compile(r"(\w+)\[([^\[\]]*)\]")
_JSON = json.JSONDecoder()


@dataclass
class Weights:
    """Where the stored constants are: a file beside the text, and its checksum."""

    file: str
    sha256: str


@dataclass
class Parsed:
    """The statements of one graph text."""

    name: str = ""
    weights: Weights | None = None
    inputs: list[Value] = field(default_factory=list)
    constants: dict[str, np.ndarray | None] = field(default_factory=dict)  # None: stored
    nodes: list[Node] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)
    places: dict[str, SourcePos] = field(default_factory=dict)  # a node's label -> its line

    def graph(self, stored: Mapping[str, np.ndarray]) -> Graph:
        """The graph, not verified yet, with stored constants taken from `stored`."""
        constants: dict[str, np.ndarray] = {}
        for name, array in self.constants.items():
            if array is None and name not in stored:
                raise ZhisuanError(
                    f"the constant '{name}' is stored apart and was not given",
                    where=f"graph '{self.name}'",
                    expected=self.values[name].type_text,
                    hint="load the graph from its file, which names the file of constants",
                )
            constants[name] = stored[name] if array is None else array
        return Graph(
            self.name,
            tuple(value.name for value in self.inputs),
            tuple(self.outputs),
            tuple(self.nodes),
            constants,
            self.values,
        )


def parse(text: str, file: str = "text") -> Parsed:
    """text := 'graph' string '{' statement* '}', blank lines and # lines anywhere"""
    parsed = Parsed()
    opened = closed = False
    lines = text.split("\n")
    for number, content in enumerate(lines, start=1):
        line = _Line(file, number, content)
        if line.done() or line.peek("#"):
            continue
        if closed:
            line.fail("nothing may follow the closing brace", "the end of the text")
        if not opened:
            line.expect("graph")
            parsed.name = line.string()
            line.expect("{")
            opened = True
        elif line.accept("}"):
            closed = True
        else:
            _statement(line, parsed)
        line.expect_end()
    if not closed:
        _Line(file, len(lines), lines[-1]).fail("the graph breaks off", "a closing brace '}'")
    return parsed


def _statement(line: _Line, parsed: Parsed) -> None:
    """statement := weights | 'input' typed | 'const' typed '=' number | node | 'output' name"""
    if line.peek("%"):
        _node(line, parsed)
    elif line.accept("input "):
        parsed.inputs.append(_typed(line, parsed))
    elif line.accept("const "):
        _constant(line, parsed)
    elif line.accept("output "):
        parsed.outputs.append(line.name())
    elif line.accept("weights "):
        file = line.string()
        line.expect("sha256")
        parsed.weights = Weights(file, line.string())
    else:
        line.fail("not a statement", "input, const, weights, output or %name")


def _typed(line: _Line, parsed: Parsed) -> Value:
    """typed := name ':' dtype '[' sizes ']', and the name is new"""
    start = line.at
    name = line.name()
    if name in parsed.values:
        line.fail("a value is made twice", "one definition", at=start)
    line.expect(":")
    element, shape = line.type()
    parsed.values[name] = Value(name, element, shape)
    return parsed.values[name]


def _constant(line: _Line, parsed: Parsed) -> None:
    """'const' typed '=' ('stored' | number | '[' numbers ']')"""
    value = _typed(line, parsed)
    line.expect("=")
    if line.accept("stored"):
        parsed.constants[value.name] = None
        return
    start = line.at
    array = _array(line.json(), value)
    if array is None:
        line.fail("the numbers do not fit the type", value.type_text, at=start)
    parsed.constants[value.name] = array


def _array(items: Any, value: Value) -> np.ndarray | None:
    """The numbers as the constant, None when one would be changed by its type or left over."""
    try:
        shape = dims.evaluate_shape(value.shape, {})
        array = np.array(items, value.dtype.numpy).reshape(shape)
    except (ValueError, TypeError, OverflowError, ZhisuanError):
        return None
    kinds = {type(item) for item in np.array(items, object).reshape(-1)}
    fits = {"b": {bool}, "f": {int, float}}.get(value.dtype.numpy.kind, {int})
    return array if kinds <= fits else None


def _node(line: _Line, parsed: Parsed) -> None:
    """node := typed ',' ... '=' op '(' names ')' ['{' key '=' json, ... '}'] '@' string
    ['after' '[' strings ']'] ['on' string]"""
    values = [_typed(line, parsed)]
    while line.accept(","):
        values.append(_typed(line, parsed))
    line.expect("=")
    start = line.at
    op = line.word()
    line.expect("(")
    inputs = line.listed(")", line.name)
    attrs = dict(line.listed("}", line.pair)) if line.accept("{") else {}
    line.expect("@")
    label = line.string()
    try:
        complete = find(op, label).complete(attrs, label)
    except ZhisuanError as error:
        line.fail(error.what, error.expected or "an op as the registry has it", at=start)
    after, device = (), ""
    if line.accept("after"):
        line.expect("[")
        after = tuple(line.listed("]", line.string))
    if line.accept("on "):
        device = line.string()
    outputs = tuple(value.name for value in values)
    parsed.nodes.append(Node(op, tuple(inputs), outputs, complete, label, after, device))
    parsed.places[label] = line.place(start)


class _Line:
    """One line under the reader's finger; `at` is the next character."""

    def __init__(self, file: str, number: int, text: str) -> None:
        self.file = file
        self.number = number
        self.text = text
        self.at = 0
        self._skip()

    def fail(self, what: str, expected: str, at: int | None = None) -> NoReturn:
        at = self.at if at is None else at
        found = self.text[at : at + 30].strip() or "the end of the line"
        raise ZhisuanError(what, where=self.place(at), expected=expected, found=found)

    def place(self, at: int) -> SourcePos:
        return SourcePos(self.file, self.number, at + 1, self.text)

    def done(self) -> bool:
        return self.at >= len(self.text)

    def peek(self, text: str) -> bool:
        return self.text.startswith(text, self.at)

    def accept(self, text: str) -> bool:
        if not self.peek(text):
            return False
        self._move(self.at + len(text))
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.fail("the line cannot be read", f"'{text}'")

    def expect_end(self) -> None:
        if not self.done():
            self.fail("the line goes on after its end", "the end of the line")

    def word(self) -> str:
        return self._match(_WORD, "a word").group()

    def name(self) -> str:
        """name := '%' (plain characters | string)"""
        if not self.peek("%"):
            self.fail("the line cannot be read", "a %name")
        self.at += 1
        return self.string() if self.peek('"') else self._match(PLAIN_NAME, "a name").group()

    def string(self) -> str:
        start = self.at
        value = self.json()
        if not isinstance(value, str):
            self.fail("the line cannot be read", 'a "string"', at=start)
        return value

    def type(self) -> tuple[DType, Shape]:
        start = self.at
        element, sizes = self._match(_TYPE, "a type such as f32[1, h]").groups()
        try:
            parts = sizes.split(",") if sizes.strip() else []
            return dtype(element), tuple(dims.parse(part) for part in parts)
        except ZhisuanError as error:
            self.fail(error.what, error.expected or "a type such as f32[1, h]", at=start)

    def json(self) -> Any:
        try:
            value, end = _JSON.raw_decode(self.text, self.at)
        except (json.JSONDecodeError, RecursionError):
            self.fail("the line cannot be read", "a number, string or list")
        self._move(end)
        return value

    def pair(self) -> tuple[str, Any]:
        """key '=' json; a list is a tuple"""
        key = self.word()
        self.expect("=")
        value = self.json()
        return key, tuple(value) if isinstance(value, list) else value

    def listed(self, close: str, item) -> list:
        """item ',' item ... and the closing mark"""
        items = []
        while not self.accept(close):
            if items:
                self.expect(",")
            items.append(item())
        return items

    def _match(self, pattern: re.Pattern[str], expected: str) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if found is None:
            self.fail("the line cannot be read", expected)
        self._move(found.end())
        return found

    def _move(self, to: int) -> None:
        self.at = to
        self._skip()

    def _skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\r":
            self.at += 1
