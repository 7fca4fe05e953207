"""The systolic array against its definition: a tile is shifted in while another is in use."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load
from zhisuan.base.errors import ZhisuanError

ARRAY = vary(load("dlp-s"), {"matrix.kind": "systolic", "matrix.shift_cycles": 64})
"""64 × 64 scalar multipliers of INT8."""


def counted(pixels: int, tiles: int, shift: int) -> int:
    """Tile by tile: the next one is ready `shift` cycles after this one came into use."""
    now = shift
    for _ in range(tiles):
        ready = now + shift
        now += pixels
        last, now = now, max(now, ready)
    return last


@pytest.mark.parametrize("pixels", [1, 63, 64, 200])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (64, 64), (65, 64), (576, 130)])
def test_tiles_one_after_the_other(pixels: int, inputs: int, outputs: int) -> None:
    tiles = -(-inputs // 64) * -(-outputs // 64)
    assert ARRAY.matrix_cycles("i8", pixels, 1, inputs, outputs) == counted(pixels, tiles, 64)


def test_arrays_and_nothing_to_do() -> None:
    pixels = np.array([0, 1, 10])
    found = ARRAY.matrix_cycles("i8", pixels, 9, np.array([8, 0, 8]), 8)
    assert found.tolist() == [1, 1, 64 + 64 + 10]


def test_padding_at_every_position() -> None:
    apart = vary(ARRAY, {"matrix.flatten": "channels"})
    assert apart.matrix_cycles("i8", 100, 9, 8, 64) == counted(100, 9, 64)


def test_an_adder_tree_shifts_nothing() -> None:
    with pytest.raises(ZhisuanError) as caught:
        vary(ARRAY, {"matrix.kind": "adder tree"})
    assert str(caught.value) == (
        "error: an adder tree shifts no tiles of weights in\n"
        "  where:    dlp-s\n"
        '  expected: 0, or matrix.kind = "systolic"\n'
        "  found:    matrix.shift_cycles = 64"
    )
