"""Wrong programs are caught, at the right line, and pass once they are mended.

tests/sim/faults/*.bcl are kernels k(y, x, n) over two buffers of 1000 halves, x filled.  The
first line names the check that must catch the mistake; `HERE` marks the line it must name,
`OTHER` that of the other party.  With FIXED defined the same file is right.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from zhisuan import bcl
from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM
from zhisuan.runtime.device import Device
from zhisuan.sim.checks.allocation import Allocation
from zhisuan.sim.checks.run import CHECKS

FAULTS = sorted((Path(__file__).parent / "faults").glob("*.bcl"))
COUNT = 1000
ROOM = 1 << 17
X, Y = GDRAM.base + 8192, GDRAM.base + 16384


def verdict(path: Path, fixed: bool, executor: str = "native") -> str:
    """What is said about a file's kernel: nothing, or an error."""
    source = path.read_text(encoding="utf-8")
    program = bcl.compile(source, path.name, defines={"FIXED": 1} if fixed else {}).program
    device = Device(load("dlp-s"), executor, CHECKS)
    device.reserve(ROOM)
    device.memory.write(X, np.arange(COUNT, dtype=np.float16))
    try:
        device.launch(program, "k", {"y": Y, "x": X, "n": COUNT}, "launch")
        device.check([Allocation("x", X, 2 * COUNT, filled=True), Allocation("y", Y, 2 * COUNT)])
    except ZhisuanError as error:
        return str(error)
    return ""


def marked(path: Path, mark: str) -> str:
    """`file:line` of a mark in a file; empty without it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines, 1) if line.endswith(f"// {mark}")]
    assert len(found) <= 1
    return f"{path.name}:{found[0]}" if found else ""


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_fault_is_caught_at_its_line(path: Path) -> None:
    said = verdict(path, fixed=False)
    check = path.read_text(encoding="utf-8").removeprefix("// ").partition(":")[0]
    places = re.findall(r"where: +kernel 'k', ([^,]+),", said)
    assert set(places) == {marked(path, "HERE")}, said
    assert set(re.findall(r"other: +([^,]+),", said)) == {marked(path, "OTHER")} - {""}, said
    named = set(re.findall(r"^(\w+): ", said, re.MULTILINE)) - {"error"}
    assert named == {check} or (check == "memcheck" and not named), said


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_mended_program_passes(path: Path) -> None:
    assert verdict(path, fixed=True) == ""


@pytest.mark.parametrize("path", FAULTS[::8], ids=lambda path: path.stem)
def test_both_executors_lead_to_the_same_words(path: Path) -> None:
    assert verdict(path, False, "reference") == verdict(path, False, "native") != ""


def test_there_are_enough_faults_of_each_kind() -> None:
    kinds = [path.stem.partition("_")[0] for path in FAULTS]
    assert {kind: kinds.count(kind) >= 10 for kind in set(kinds)} == {
        "race": True, "init": True, "mem": True
    }  # fmt: skip
