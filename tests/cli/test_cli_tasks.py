"""Launches of many tasks from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

KERNEL = """
__mlu_entry__ void number(int *out) { out[taskId] = 100 * taskIdY + taskIdX; }
"""


def test_tasks_on_a_chip(zhisuan: Callable, here: Path) -> None:
    (here / "k.bcl").write_text(KERNEL)
    done = zhisuan("run", "k.bcl", "--machine", "mlu270", "--tasks", "8x2", "--type", "UNION2",
                   "--arg", "out=i32[16]", "-o", "out.safetensors", "--trace", "k.trace",
                   "--report", "k.html")  # fmt: skip
    assert done.code == 0, done.err
    wanted = [[100 * y + x for x in range(8)] for y in range(2)]
    assert np.array_equal(load_file(here / "out.safetensors")["out"].reshape(2, 8), wanted)
    assert "of 20 cores the timeline shows" in (here / "k.html").read_text().lower()
    assert zhisuan("time", "k.trace", "--machine", "mlu290").code == 0
    refused = zhisuan("time", "k.trace", "--machine", "dlp-s")
    assert refused.code != 0
    assert "larger chip" in refused.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--tasks", "3.5"), "one to three numbers, such as 16 or 16x2x1"),
        (("--tasks", "0"), "three positive numbers"),
        (("--tasks", "6", "--type", "UNION1"), "a multiple of 4"),
        (("--type", "UNION"), "no such task type"),
    ],
)
def test_wrong_dimensions(
    zhisuan: Callable, here: Path, options: tuple[str, ...], expected: str
) -> None:
    (here / "k.bcl").write_text(KERNEL)
    done = zhisuan("run", "k.bcl", "--machine", "mlu270", "--arg", "out=i32[64]", *options)
    assert done.code != 0
    assert expected in done.err


def test_another_order_of_tasks(zhisuan: Callable, here: Path) -> None:
    (here / "k.bcl").write_text(KERNEL)
    (here / "race.bcl").write_text("__mlu_entry__ void k(int *out) { out[0] = taskId; }")
    tasks = ("--machine", "mlu270", "--tasks", "8", "--type", "UNION2", "--arg", "out=i32[8]")
    assert all(zhisuan("run", "k.bcl", *tasks, "--schedule", seed).code == 0 for seed in "123")
    unchecked = ("run", "race.bcl", *tasks, "--check", "none", "--schedule")
    said = {zhisuan(*unchecked, seed).err for seed in "123456"} - {""}
    assert said
    assert all("error: 'out' depends on the order of tasks" in one for one in said)
    assert all("  try:      --check racecheck" in one for one in said)
    for seed in "12":
        done = zhisuan("run", "race.bcl", *tasks, "--schedule", seed, "--check", "all")
        assert "racecheck: two tasks write the same bytes" in done.err
