"""Conversions against exact arithmetic: every rounding, saturation, fixed point, bfloat16."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from zhisuan.isa.address import NRAM
from zhisuan.isa.rounding import WAYS, rounded_to, whole

A, B = NRAM.base, NRAM.base + 0x2000
VALUES = [0.0, -0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 3.5, 126.5, 127.5, 1e4, 1e9, 1e30, np.inf]
FLOATS = np.array([*VALUES, *(-x for x in VALUES), 5.9e-8, 2.98e-8, 1e-40], np.float32)


def exact_whole(x: Fraction, way: str) -> int:
    """The definition, in whole numbers."""
    magnitude = abs(x)
    low = math.floor(magnitude)
    away = {
        "rn": round(magnitude) != low, "tz": False, "oz": magnitude != low,
        "up": x > 0 and magnitude != low, "dn": x < 0 and magnitude != low,
        "rd": magnitude - low >= Fraction(1, 2),
    }[way]  # fmt: skip
    return (low + away) * (1 if x >= 0 else -1)


@pytest.mark.parametrize("way", WAYS)
def test_whole_numbers_and_saturation(way: str) -> None:
    finite = FLOATS[np.isfinite(FLOATS)].astype(np.float64)
    got = whole(finite, way)
    assert got.tolist() == [exact_whole(Fraction(x), way) for x in finite.tolist()]
    assert np.array_equal(np.signbit(got), np.signbit(finite))
    for kind, low, high in (
        ("i4", -8, 7), ("i8", -128, 127), ("u8", 0, 255), ("i16", -(1 << 15), (1 << 15) - 1),
        ("i32", -(1 << 31), (1 << 31) - 1),
    ):  # fmt: skip
        clipped = [min(max(int(x), low), high) for x in got.tolist()]
        assert rounded_to(finite.astype(np.float32), kind, way).tolist() == clipped
    assert rounded_to(np.array([np.nan, np.inf, -np.inf]), "i8", way).tolist() == [0, 127, -128]


def halves_around(x: float) -> tuple[np.float16, np.float16]:
    """The largest half that is at most x, and the smallest that is at least x."""
    near = np.float16(x)
    low = near if float(near) <= x else np.nextafter(near, np.float16(-np.inf))
    high = near if float(near) >= x else np.nextafter(near, np.float16(np.inf))
    return low, high


def exact_half(x: float, way: str) -> np.float16:
    low, high = halves_around(x)
    inner, outer = (low, high) if x > 0 else (high, low)
    if way in ("up", "dn"):
        return high if way == "up" else low
    if way in ("tz", "oz"):
        return inner if way == "tz" else outer
    if not np.isfinite(outer) or not np.isfinite(x):
        return np.float16(x)  # beyond the largest half: as to nearest even
    past_half = 2 * abs(Fraction(x)) >= abs(Fraction(float(inner))) + abs(Fraction(float(outer)))
    return outer if past_half else inner


@pytest.mark.parametrize("way", [way for way in WAYS if way != "rn"])
def test_halves_in_every_rounding(way: str) -> None:
    draw = np.random.default_rng(2)
    near = draw.integers(0, 1 << 16, 2000).astype(np.uint16).view(np.float16).astype(np.float32)
    with np.errstate(invalid="ignore"):
        between = near * np.float32(1 + 2.0**-12)  # halfway for many
    some = np.concatenate([FLOATS, between[np.isfinite(between)], [np.float32(65520)]])
    with np.errstate(over="ignore", invalid="ignore"):
        got = rounded_to(some.astype(np.float32), "f16", way)
        want = np.array([exact_half(float(x), way) for x in some.astype(np.float32)], np.float16)
    assert np.array_equal(got, want)


def test_modes_name_types_and_rounding(core) -> None:
    core.write(A, np.array([2.5, -2.5, 300, np.nan], np.float16))
    for mode, want in (("f16.i8", [2, -2, 127, 0]), ("f16.i8.up", [3, -2, 127, 0]),
                       ("f16.i8.rd", [3, -3, 127, 0])):  # fmt: skip
        core.run("VCVT", mode, dst=B, n=4, a=A)
        assert core.read(B, np.int8, 4).tolist() == want
    core.run("VRND", "f16.dn", dst=B, n=2, a=A)
    assert core.read(B, np.float16, 2).tolist() == [2, -3]


@pytest.mark.parametrize("mode", ["i32.i8", "i32.i16", "i16.i16", "i8.i32", "i32.i32"])
def test_requantising_is_exact_fixed_point(core, mode: str) -> None:
    source, to = (np.dtype(part.replace("i", "int")) for part in mode.split("."))
    ends = np.iinfo(source)
    x = np.array([ends.min, ends.max, -7, -6, -5, 5, 6, 7, 0, 100], source)
    limits = np.iinfo(to)
    for mul, bits in ((1, 0), (3, 2), (-5, 3), (2**31 - 1, 40), (-(2**31), 62)):
        core.write(A, x)
        core.run("VREQ", mode, dst=B, n=len(x), a=A, mul=mul, bits=bits)
        exact = [math.floor(Fraction(int(v) * mul, 2**bits) + (Fraction(1, 2) if bits else 0))
                 for v in x]  # fmt: skip
        assert core.read(B, to, len(x)).tolist() == [
            min(max(v, limits.min), limits.max) for v in exact
        ]
    for bits in (63, -1):
        with pytest.raises(Exception, match="0 to 62 bits"):
            core.run("VREQ", mode, dst=B, n=1, a=A, mul=1, bits=bits)


def test_bfloat16_rounds_to_nearest_even(core) -> None:
    bits = np.array([0x3F80_8000, 0x3F81_8000, 0x3F80_8001, 0x7F7F_FFFF, 0xFF80_0001], np.uint32)
    core.write(A, bits)
    core.run("VBF", "f32.bf16", dst=B, n=5, a=A)
    assert core.read(B, np.uint16, 5).tolist() == [0x3F80, 0x3F82, 0x3F81, 0x7F80, 0x7FC0]
    core.run("VBF", "bf16.f32", dst=A, n=5, a=B)
    want = [0x3F80_0000, 0x3F82_0000, 0x3F81_0000, 0x7F80_0000, 0x7FC0_0000]
    assert core.read(A, np.uint32, 5).tolist() == want


def test_affine_requantises_sums_per_channel(core) -> None:
    sums = np.array([[1000, -1000], [50, 70000]], np.int32)
    scale, shift = np.array([0.05, 0.01], np.float32), np.array([0.5, -3], np.float32)
    core.write(A, sums)
    core.write(A + 256, scale)
    core.write(A + 512, shift)
    for mode, low in (("i32.i8", -128), ("i32.i8.relu", 0)):
        core.run("VAFFINE", mode, dst=B, n=4, a=A, scale=A + 256, shift=A + 512, m=2)
        want = np.clip(np.rint(sums.astype(np.float32) * scale + shift), low, 127).reshape(-1)
        assert core.read(B, np.int8, 4).tolist() == want.tolist()
