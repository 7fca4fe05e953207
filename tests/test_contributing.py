"""The recipes of CONTRIBUTING.md run as written, and the files they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from zhisuan.eager import on
from zhisuan.graph import ops
from zhisuan.graph.handle import F
from zhisuan.graph.ops import elementwise
from zhisuan.graph.registry import GRADIENTS
from zhisuan.isa import registry, table, vector
from zhisuan.isa.registry import Operands

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def recipe(title: str) -> str:
    """The first Python block below the heading."""
    found = re.search(rf"## {title}\n.*?```python\n(.*?)```", TEXT, re.S)
    assert found, f"no recipe called {title}"
    return found[1]


class Memory:
    """A core that reads one vector and keeps what is written."""

    def read(self, address: int, kind: np.dtype, count: int) -> np.ndarray:
        return np.arange(count).astype(kind)

    def write(self, address: int, values: np.ndarray) -> None:
        self.written = values


def test_add_an_instruction() -> None:
    before = len(registry.ROWS)
    try:
        exec(recipe("Add an instruction"), dict(vars(vector)))
        table._prove(registry.ROWS)
        row = registry.ROWS[-1]
        core = Memory()
        row.meaning(core, Operands("f32", {"dst": 0, "n": 4, "a": 64}))  # type: ignore[arg-type]
    finally:
        del registry.ROWS[before:]
    assert row.name == "VSQUARE"
    assert core.written.tolist() == [0, 1, 4, 9]


def test_add_an_op() -> None:
    try:
        exec(recipe("Add an op"), dict(vars(elementwise)))
        row = ops.OPS["cube"]
        x = on(np.array([1.0, 2.0], np.float32), requires_grad=True)
        y = F.cube(x)
        F.reduce_sum(y, keepdims=False).backward()
    finally:
        for table in (ops.OPS, GRADIENTS, vars(F)):
            table.pop("cube", None)
    assert row.doc == "x to the power 3."
    assert y.numpy().tolist() == [1.0, 8.0]
    assert x.grad is not None and x.grad.numpy().tolist() == [3.0, 12.0]


def test_the_files_named_exist() -> None:
    named = re.findall(r"`((?:zhisuan|tests)/[\w/.]+)`", TEXT)
    real = [name for name in named if "NAME" not in name]
    missing = [name for name in real if not (ROOT / name).exists()]
    assert len(real) > 5
    assert not missing, "\n".join(missing)
