"""The two ladders: every rung computes the product on both executors, and none is slower than the
one before."""

from __future__ import annotations

from itertools import pairwise
from runpy import run_path

import numpy as np
import pytest

from zhisuan.arch import load as machines
from zhisuan.labs import catalogue, material
from zhisuan.labs.compare import difference
from zhisuan.labs.grade import ANSWER
from zhisuan.labs.lab_file import Part
from zhisuan.labs.launch import Launched, launch
from zhisuan.labs.work import compiled

LADDERS = {"gemm_int8": (3, 70, 66), "matmul_fp32": (5, 35, 13)}
"""Lab → a product that fits no tile, line or group of columns."""
RUNGS = [(name, part) for name in LADDERS for part in catalogue.find(name).parts]
FIRST = {"gemm_int8": (8, 64, 64), "matmul_fp32": (8, 64, 32)}
"""For the rungs up to the matrix unit of one core."""
LARGE = {"gemm_int8": (1024, 512, 1024), "matmul_fp32": (512, 2048, 512)}
"""For those from it on: large enough for all ideas to pay, small enough for a test."""
ONE_CORE = ("conv", "matrix")


def run(lab_name: str, part: Part, shape: tuple[int, int, int]) -> tuple[Launched, str | None]:
    """A rung's reference answer on drawn matrices, and what is wrong with its values."""
    lab = catalogue.find(lab_name)
    machine, held = machines.load(lab.machine), material.load(lab)
    values = held.inputs(np.random.default_rng(3), **dict(zip("mkn", shape, strict=True)))
    expected = held.reference(**values)
    program = compiled(lab.folder / ANSWER / part.file, part, machine)
    done = launch(program, part, machine, values, expected, ())
    return done, difference(done, part, values, expected)


@pytest.mark.parametrize("executor", ["native", "reference"])
@pytest.mark.parametrize(("lab", "part"), RUNGS, ids=lambda p: p if isinstance(p, str) else p.name)
def test_a_rung_multiplies(
    lab: str, part: Part, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHISUAN_EXECUTOR", executor)
    done, wrong = run(lab, part, LADDERS[lab])
    assert wrong is None
    assert done.cycles > 0


@pytest.mark.parametrize("lab", LADDERS)
def test_every_rung_takes_fewer_cycles_than_the_one_before(lab: str) -> None:
    parts = catalogue.find(lab).parts
    matrix = next(i for i, part in enumerate(parts) if part.name in ONE_CORE)
    for shape, rungs in ((FIRST[lab], parts[: matrix + 1]), (LARGE[lab], parts[matrix:])):
        taken = []
        for part in rungs:
            done, wrong = run(lab, part, shape)
            assert wrong is None
            taken.append(done.cycles)
        assert all(later < earlier for earlier, later in pairwise(taken)), taken


def test_more_terms_than_weights_fit_are_refused() -> None:
    part = catalogue.find("gemm_int8").parts[1]
    _, wrong = run("gemm_int8", part, (1, 16385, 1))
    assert wrong is not None and wrong.startswith("error: assertion failed")


@pytest.mark.parametrize("largest", [127.0, 128.0, 1e-3, 3e7])
def test_quantised_values_fill_their_range(largest: float) -> None:
    quantise = run_path(str(catalogue.find("gemm_int8").folder / material.FILE))["quantise"]
    values = np.linspace(-largest, largest / 3, 1001)
    quantised, position, scale = quantise(values)
    assert position == int(np.ceil(np.log2(largest / 127)))
    assert scale >= 1
    assert quantised.min() == -127
    back = quantised * 2.0**position / scale
    assert np.abs(back - values).max() <= 0.5001 * 2.0**position / scale
