"""Wrong programs are caught, at the right line, and pass once they are mended.

tests/sim/faults/*.bcl are kernels k(y, x, n) over two buffers of 1000 halves, x filled.  The
first line names the check that must catch the mistake, and for many tasks their type; `HERE`
marks the line it must name, `OTHER` that of the other party.  With FIXED defined the same file is
right.  Barriers need no check to be asked for: the executor stops at those that never complete.
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
TASKS = {"": 1, "BLOCK": 32, "UNION1": 4, "UNION2": 8}
X, Y = GDRAM.base + 8192, GDRAM.base + 16384


def verdict(path: Path, fixed: bool, executor: str = "native") -> str:
    """What is said about a file's kernel: nothing, or an error."""
    source = path.read_text(encoding="utf-8")
    task_type = wanted(path)[1]
    program = bcl.compile(source, path.name, defines={"FIXED": 1} if fixed else {}).program
    device = Device(load("mlu270" if task_type else "dlp-s"), executor, CHECKS)
    device.reserve(ROOM)
    device.memory.write(X, np.arange(COUNT, dtype=np.float16))
    buffers = [Allocation("x", X, 2 * COUNT, filled=True), Allocation("y", Y, 2 * COUNT)]
    try:
        with device.checking(buffers):
            device.launch(program, "k", {"y": Y, "x": X, "n": COUNT}, "launch",
                          (TASKS[task_type], 1, 1), task_type or "BLOCK")  # fmt: skip
    except ZhisuanError as error:
        return str(error)
    return ""


def wanted(path: Path) -> tuple[str, str]:
    """The check that must catch a file's mistake, and the task type; none for a single task."""
    line = path.read_text(encoding="utf-8").partition("\n")[0]
    check, _, task_type = line.removeprefix("// ").partition(":")[0].partition(", ")
    return check, task_type


def marked(path: Path, mark: str) -> str:
    """`file:line` of a mark in a file; empty without it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    marks = [line.partition("// ")[2].split() for line in lines]
    found = [number for number, words in enumerate(marks, 1) if number > 1 and mark in words]
    assert len(found) <= 1
    return f"{path.name}:{found[0]}" if found else ""


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_fault_is_caught_at_its_line(path: Path) -> None:
    said = verdict(path, fixed=False)
    check, tasks = wanted(path)
    parts = said.split("\n\n")
    ours = "\n".join(part for part in parts if part.startswith((f"{check}:", "error: ")))
    places = re.findall(r"where: +kernel 'k', ([^,]+),", ours)
    assert set(places) == {marked(path, "HERE")}, said
    assert set(re.findall(r"other: +([^,]+),", ours)) == {marked(path, "OTHER")} - {""}, said
    named = set(re.findall(r"^(\w+): ", said, re.MULTILINE)) - {"error"}
    stopped = not named and check in ("memcheck", "synccheck")
    follows = {"initcheck"} if tasks and check == "racecheck" else set()  # from reading too early
    assert stopped or named - follows == {check}, said


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_mended_program_passes(path: Path) -> None:
    assert verdict(path, fixed=True) == ""


@pytest.mark.parametrize("path", FAULTS[::8], ids=lambda path: path.stem)
def test_both_executors_lead_to_the_same_words(path: Path) -> None:
    assert verdict(path, False, "reference") == verdict(path, False, "native") != ""


def test_there_are_enough_faults_of_each_kind() -> None:
    kinds = [path.stem.partition("_")[0] for path in FAULTS]
    assert {kind: kinds.count(kind) >= 10 for kind in set(kinds)} == {
        "race": True, "init": True, "mem": True, "task": True
    }  # fmt: skip
