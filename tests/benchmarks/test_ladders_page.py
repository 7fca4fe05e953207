"""The page and the picture of the ladders, from figures that can be checked by hand."""

from __future__ import annotations

import re

import pytest

from benchmarks import ladder_picture, ladders
from zhisuan.arch.load import load

SHAPE = (1000, 64, 64)
MACS = 1000 * 64 * 64
PEAK = 16 * 64 * 64
"""Multiplications of all cores of mlu270 in a cycle."""


def ladder() -> ladders.Ladder:
    climb = ladders.Climb("gemm_int8", "i8", SHAPE, {"scalar": 10}, "What it is for.")
    rungs = (
        ladders.Rung("scalar", "1_scalar.mlu", 10, 100 * MACS, 0),
        ladders.Rung("conv", "2_conv.mlu", 1000, 2 * MACS // PEAK, 5120),
    )
    return ladders.Ladder(climb, load("mlu270"), rungs)


def test_shares_are_of_the_whole_chip() -> None:
    found = ladder()
    scalar, conv = found.rungs
    assert found.matrix_share(scalar) == pytest.approx(1 / (100 * PEAK))
    assert found.matrix_share(conv) == pytest.approx(0.5, rel=0.01)
    assert found.dram_share(conv) == pytest.approx(5120 / (conv.cycles * 102.4))


def test_the_table() -> None:
    lines = ladders.table(ladder()).splitlines()
    assert lines[0] == "### 1,000 × 64 · 64 × 64"
    link = "[1_scalar.mlu](../labs/gemm_int8/answer/1_scalar.mlu)"
    assert lines[6].startswith(f"| {link} | 409,600,000 |")
    assert lines[6].endswith("| 409.600 |  | 1.5e-05 % | – |")
    assert lines[7].endswith("| 125 | 0.000 | 3,276,800.00 | 50.0 % | 40.0 % |")
    assert lines[-1] == "Rows computed, the others in proportion: 10 in `1_scalar.mlu`."


def test_the_picture_has_a_bar_for_each_rung_and_a_mark_where_dram_moved() -> None:
    text = ladder_picture.draw([ladders.panel(ladder())])
    legend, scale = 2, 8  # rectangles: page and legend; powers of ten from 10^-7
    assert text.count("<rect") == legend + 2
    assert text.count(f'stroke="{ladder_picture.DRAM}"') == 2  # legend and conv
    assert text.count(f'stroke="{ladder_picture.FAINT}"') == scale
    ends = [float(width) for width in re.findall(r'<rect x="130" y="38" width="([\d.]+)"', text)]
    assert len(ends) == 1
    assert 0 < ends[0] < 100
