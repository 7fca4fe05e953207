"""The peak that utilisation is measured by follows the element type that a run multiplies."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.arch.load import load
from zhisuan.isa.table import BY_NAME
from zhisuan.report.peak import Peak, peak
from zhisuan.sim.trace import ROW, Trace, TraceBuilder


def trace(*instructions: tuple[str, str]) -> Trace:
    run = np.zeros(len(instructions), ROW)
    for at, (name, mode) in enumerate(instructions):
        run["opcode"][at] = BY_NAME[name].opcode
        run["mode"][at] = BY_NAME[name].modes.index(mode)
    builder = TraceBuilder()
    builder.add("only", "program", "kernel", [run])
    return builder.build()


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ([], Peak("FP16", 64 * 24)),
        ([("VAV", "i8")], Peak("FP16", 64 * 24)),
        ([("CONV", "f32.f32")], Peak("FP32", 64 * 6)),
        ([("CONV", "f32.f32"), ("CONV", "f16.f32")], Peak("FP16", 64 * 24)),
        ([("CONV", "f16.f32"), ("CONV", "i8.i32"), ("VAV", "f16")], Peak("INT8", 64 * 64)),
        ([("CONV", "i16.i32.acc")], Peak("INT16", 64 * 32)),
    ],
)
def test_peak(instructions: list[tuple[str, str]], expected: Peak) -> None:
    machine = load("dlp-s")
    assert peak(trace(*instructions), machine) == expected


def test_all_cores_count() -> None:
    assert peak(trace(("CONV", "i8.i32")), load("mlu270")) == Peak("INT8", 16 * 4096)
