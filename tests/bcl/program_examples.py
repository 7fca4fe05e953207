"""Whole kernels of `programs/*.mlu` against NumPy, all checks on: how each is run and judged.

A program's function gives its arguments, and what its outputs must hold: argument number → array.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from chip import run

FOLDER = Path(__file__).parent / "programs"
H, F, W, B, S, U = np.float16, np.float32, np.int32, np.int8, np.int16, np.uint32
RANDOM = np.random.default_rng(8)
Examples = dict[str, "Callable[[], Example]"]


@dataclass
class Example:
    """`tolerance` is relative, with as much absolute; `kernel` names one of several."""

    arguments: list[np.ndarray | float]
    outputs: dict[int, np.ndarray]
    tolerance: float = 0
    tasks: int | tuple[int, int, int] = 1
    task_type: str = "BLOCK"
    arch: int = 372
    kernel: str | None = None


def draw(kind: type, *shape: int, low: float = -2, high: float = 2) -> np.ndarray:
    return RANDOM.uniform(low, high, shape).astype(kind)


def whole(kind: type, *shape: int, low: int = -8, high: int = 8) -> np.ndarray:
    return RANDOM.integers(low, high, shape).astype(kind)


def gone(kind: type, *shape: int) -> np.ndarray:
    """Where an output goes."""
    return np.zeros(shape, kind)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x.astype(np.float64) - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def judge(name: str, made: Example) -> None:
    """Run a program and compare what it leaves."""
    alone = made.task_type == "BLOCK" and made.arch == 372
    machine = "dlp-s" if alone else "mlu370" if made.arch == 372 else "mlu270"
    text = (FOLDER / f"{name}.mlu").read_text(encoding="utf-8")
    dims = (made.tasks, 1, 1) if isinstance(made.tasks, int) else made.tasks
    run(text, *made.arguments, arch=made.arch, machine=machine, dims=dims, kernel=made.kernel,
        task_type=made.task_type)  # fmt: skip
    for number, wanted in made.outputs.items():
        found = made.arguments[number]
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(
            found.astype(np.float64), np.asarray(wanted, np.float64),
            rtol=made.tolerance, atol=made.tolerance, err_msg=f"argument {number}",
        )  # fmt: skip
