"""Grade files: `lab.toml` in, a checked `Lab` out; every mistake names the file and the key.

title = { en = "Softmax", zh = "…" }
minutes = 90                                      # that the lab takes, about
machine = "mlu370"

[[part]]
name = "kernel"
file = "softmax.mlu"                              # handed in; with `op` a Python file
kernel = "softmax"
parameters = ["ptr out", "ptr in", "i32 rows", "i32 n"]
tasks = 32
type = "BLOCK"
relative = 1e-5                                   # tolerance of the values
absolute = 1e-7

[[part.criterion]]
kind = "values"                                   # what kinds there are: criteria.py
name = "right values"
points = 30
cases = [{ rows = 32, n = 128 }, { rows = [1, 40], n = [1, 200] }]   # [a, b]: drawn by the seed

[wrong]                                           # wrong/NAME.mlu -> the criterion it fails first
"last_column.mlu" = "right values"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.base.files import read_text
from zhisuan.sim.tasks import TASK_TYPES

FILE = "lab.toml"
LIMIT = 200_000_000
"""Instructions that a task may execute unless the part says otherwise."""

Case = Mapping[str, int | float | str | tuple[int, int]]
"""Sizes and settings of one launch by name; a pair is a range to draw from."""


@dataclass(frozen=True)
class Criterion:
    """Something that is judged; `options` are those of its kind."""

    name: str
    kind: str
    points: int
    cases: tuple[Case, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A file to hand in, how its kernel is launched, and what is judged."""

    name: str
    file: str
    op: str  # the op that the file makes of the kernel; empty where the file is the kernel's
    kernel: str
    parameters: tuple[tuple[str, str], ...]  # kind, name
    tasks: int
    task_type: str
    relative: float
    absolute: float
    limit: int
    criteria: tuple[Criterion, ...]

    @property
    def points(self) -> int:
        return sum(criterion.points for criterion in self.criteria)


@dataclass(frozen=True)
class Lab:
    """A lab as its folder describes it; `wrong` maps seeded wrong answers to criteria."""

    name: str
    folder: Path
    title: Mapping[str, str]
    minutes: int
    machine: str
    parts: tuple[Part, ...]
    wrong: Mapping[str, str]

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)


_LAB = ("title", "minutes", "machine", "part", "wrong")
_PART = (
    "name", "file", "op", "kernel", "parameters", "tasks", "type", "relative", "absolute", "limit",
    "criterion",
)  # fmt: skip
_CRITERION = ("name", "kind", "points", "cases")


def read(folder: Path, kinds: Mapping[str, Mapping[str, Any]]) -> Lab:
    """The lab in `folder`; `kinds` has the options of every kind of criterion, with defaults."""
    path = folder / FILE
    try:
        raw = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ZhisuanError("not a TOML file", where=str(path), found=str(error)) from error
    return _Reader(path, kinds).lab(raw)


@dataclass(frozen=True)
class _Reader:
    path: Path
    kinds: Mapping[str, Mapping[str, Any]]

    def lab(self, raw: dict[str, Any]) -> Lab:
        self.known(raw, _LAB, "the lab")
        self.needed(raw, ("title", "minutes", "machine", "part"), "the lab")
        title, folder = raw["title"], self.path.parent
        self.needed(title, ("en", "zh"), "title")
        parts = tuple(self.part(entry) for entry in raw["part"])
        names = {criterion.name for part in parts for criterion in part.criteria}
        wrong = raw.get("wrong", {})
        for file, criterion in wrong.items():
            if criterion not in names:
                self.fail(f"wrong.{file}", "the name of a criterion", repr(criterion))
        return Lab(folder.name, folder, title, raw["minutes"], raw["machine"], parts, wrong)

    def part(self, raw: dict[str, Any]) -> Part:
        where = f"part '{raw.get('name', '?')}'"
        self.known(raw, _PART, where)
        self.needed(raw, ("name", "file", "kernel", "criterion"), where)
        pairs = [tuple(text.split()) for text in raw.get("parameters", ())]
        if any(len(pair) != 2 for pair in pairs):
            self.fail(f"{where}: parameters", "a kind and a name, as in 'ptr out'", str(pairs))
        task_type = raw.get("type", "BLOCK")
        if task_type not in TASK_TYPES:
            self.fail(f"{where}: type", " or ".join(TASK_TYPES), repr(task_type))
        criteria = tuple(self.criterion(entry, where) for entry in raw["criterion"])
        return Part(
            raw["name"], raw["file"], raw.get("op", ""), raw["kernel"], tuple(pairs),
            raw.get("tasks", 1), task_type, raw.get("relative", 0.0), raw.get("absolute", 0.0),
            raw.get("limit", LIMIT), criteria,
        )  # fmt: skip

    def criterion(self, raw: dict[str, Any], part: str) -> Criterion:
        where = f"{part}, criterion '{raw.get('name', '?')}'"
        self.needed(raw, ("name", "kind", "points"), where)
        kind = raw["kind"]
        if kind not in self.kinds:
            self.fail(f"{where}: kind", ", ".join(self.kinds), repr(kind))
        defaults = self.kinds[kind]
        self.known(raw, (*_CRITERION, *defaults), where)
        options = {name: raw.get(name, default) for name, default in defaults.items()}
        missing = [name for name, value in options.items() if value is None]
        if missing:
            self.fail(where, f"the option '{missing[0]}'", "nothing")
        cases = tuple(_case(entry) for entry in raw.get("cases", ()))
        return Criterion(raw["name"], kind, raw["points"], cases, options)

    def known(self, raw: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
        for name in raw:
            if name not in names:
                self.fail(where, ", ".join(names), f"'{name}'", did_you_mean(name, names))

    def needed(self, raw: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
        for name in names:
            if name not in raw:
                self.fail(where, f"'{name}'", "nothing")

    def fail(self, where: str, expected: str, found: str, hint: str | None = None) -> NoReturn:
        raise ZhisuanError("the grade file is not understood", where=f"{self.path}: {where}",
                           expected=expected, found=found, hint=hint)  # fmt: skip


def _case(raw: Mapping[str, Any]) -> Case:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in raw.items()}
