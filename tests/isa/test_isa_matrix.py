"""CONV against a direct convolution, the WRAM layout, and exact fused multiply-add."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.matrix import (
    fused_multiply_add,
    pack_weights,
    quarter,
    unpack_weights,
    weight_bytes,
)

F = np.float32


def packed(*fields: int, bits: int = 16) -> int:
    return sum((field & ((1 << bits) - 1)) << (bits * at) for at, field in enumerate(fields))


def nearest_float32(value: Fraction) -> float:
    """`value` rounded once to float32, to nearest even; zero keeps no sign."""
    if not value:
        return 0.0
    exponent = 0
    while abs(value) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    while abs(value) < Fraction(2) ** exponent:
        exponent -= 1
    step = Fraction(2) ** max(exponent - 23, -149)
    rounded = round(value / step) * step
    if abs(rounded) >= Fraction(2) ** 128:
        return float("inf") if rounded > 0 else float("-inf")
    return float(rounded)


def exact_fma(a: float, b: float, c: float) -> float:
    return nearest_float32(Fraction(a) * Fraction(b) + Fraction(c))


FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
NEAR_ONE = st.integers(-(1 << 24), 1 << 24).map(lambda i: i / (1 << 23))


@given(st.one_of(FLOATS, NEAR_ONE), st.one_of(FLOATS, NEAR_ONE), st.one_of(FLOATS, NEAR_ONE))
def test_fma_is_exact(a: float, b: float, c: float) -> None:
    with np.errstate(all="ignore"):
        got = fused_multiply_add(np.array([a], F), np.array([b], F), np.array([c], F), np.dtype(F))
    assert float(got[0]) == exact_fma(a, b, c)


TINY = 2.0**-149
HALFWAY = [
    (1 + 2.0**-12, 1 + 2.0**-12, 0.0),  # 1 + 2^-11 + 2^-24: a tie
    (1 + 2.0**-12, 1 + 2.0**-12, 2.0**-60),  # just above it: float64 alone rounds to the tie
    (1 + 2.0**-12, 1 + 2.0**-12, -(2.0**-60)),  # just below it
    (1.0, 2.0**-24, 1.0),
    (1.0, 2.0**-24, 1 + 2.0**-23),
    (2.0**-70, 2.0**-70, 1 + 2.0**-23),
    (2.0**-60, 2.0**-60, TINY),
    (2.0**-75, 2.0**-75, TINY),  # half of the smallest subnormal, above and below
    (2.0**-75, -(2.0**-75), TINY),
    (2.0**-75, -(2.0**-76), 2 * TINY),
    (2.0**64, 2.0**63, 2.0**127),  # 2^128: infinity
    (2.0**64, 2.0**64, -(2.0**104)),  # just below the tie at the largest number
    (2.0**64, 2.0**64, -(2.0**103)),  # the tie: to even, infinity
    # the float64 sum is odd and inexact, one unit above a tie: it must stay where it is
    (1 + 1984 * 2.0**-23, (1 - 3967 * 2.0**-24) * 2.0**-24, 1.0),
    (3.0, -5.0, 15.0),
]


@pytest.mark.parametrize(("a", "b", "c"), HALFWAY)
def test_fma_at_ties(a: float, b: float, c: float) -> None:
    with np.errstate(all="ignore"):
        got = fused_multiply_add(np.array([a], F), np.array([b], F), np.array([c], F), np.dtype(F))
    assert float(got[0]) == exact_fma(a, b, c)


HALVES = st.floats(width=16, allow_nan=False, allow_infinity=False)


@given(HALVES, HALVES, FLOATS)
def test_fma_of_halves_is_exact(a: float, b: float, c: float) -> None:
    with np.errstate(all="ignore"):
        got = fused_multiply_add(
            np.array([a], F), np.array([b], F), np.array([c], F), np.dtype(np.float16)
        )
    assert float(got[0]) == exact_fma(a, b, c)


@given(st.integers(1, 100), st.integers(1, 140), st.sampled_from([np.float16, np.float32]))
def test_weights_pack_and_unpack(taps: int, channels: int, kind: type) -> None:
    filters = np.arange(taps * channels).reshape(taps, channels).astype(kind)
    raw = pack_weights(filters)
    assert raw.size == weight_bytes(taps, channels, np.dtype(kind).itemsize)
    np.testing.assert_array_equal(unpack_weights(raw, taps, channels, np.dtype(kind)), filters)


def test_a_weight_lies_in_the_bank_of_its_channel() -> None:
    taps, channels = 70, 130  # three lines of 32 FP16 taps, three groups of 64 channels
    filters = np.zeros((taps, channels), np.float16)
    filters[33, 65] = 1  # second line, second group, bank 1
    (where,) = np.flatnonzero(pack_weights(filters).view(np.float16))
    line = (1 * 3 + 1) * 64 + 1
    assert where * 2 == line * 64 + 1 * 2


SHAPES = [  # out h, out w, kernel h, kernel w, stride, dilation, ci, co
    (3, 4, 3, 3, (1, 1), (1, 1), 2, 5),
    (2, 3, 1, 1, (1, 1), (1, 1), 7, 66),
    (3, 2, 2, 3, (2, 3), (1, 1), 3, 4),
    (2, 2, 3, 2, (1, 2), (2, 3), 2, 3),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("mode", ["f16.f16", "f16.f32", "f32.f32", "f16.f32.acc", "f32.f32.acc"])
def test_conv_is_a_convolution(core, shape, mode: str) -> None:  # type: ignore[no-untyped-def]
    out_h, out_w, kernel_h, kernel_w, stride, dilation, ci, co = shape
    source, destination = (np.dtype({"f16": "f2", "f32": "f4"}[m]) for m in mode.split(".")[:2])
    in_h = (out_h - 1) * stride[0] + (kernel_h - 1) * dilation[0] + 1
    in_w = (out_w - 1) * stride[1] + (kernel_w - 1) * dilation[1] + 1
    random = np.random.default_rng(3)
    image = random.integers(-4, 5, (in_h, in_w, ci)).astype(source)  # small: sums are exact
    filters = random.integers(-4, 5, (kernel_h, kernel_w, ci, co)).astype(source)
    start = random.integers(-9, 10, (out_h, out_w, co)).astype(destination)
    in_pitch = in_w * ci * source.itemsize + 12
    out_pitch = out_w * co * destination.itemsize + 20
    src, dst = NRAM.base + 64, NRAM.base + 0x8000
    for y in range(in_h):
        core.write(src + y * in_pitch, image[y])
    for y in range(out_h):
        core.write(dst + y * out_pitch, start[y])
    core.write(WRAM.base, pack_weights(filters.reshape(-1, co)))

    core.run(
        "CONV", mode, dst=dst, src=src, weight=WRAM.base,
        geometry=packed(out_h, out_w, kernel_h, kernel_w), channels=packed(ci, co, bits=32),
        steps=packed(*stride, *dilation), pitches=packed(in_pitch, out_pitch, bits=32),
    )  # fmt: skip

    want = start.astype(F) if mode.endswith("acc") else np.zeros((out_h, out_w, co), F)
    for ky, kx in np.ndindex(kernel_h, kernel_w):
        rows = ky * dilation[0] + stride[0] * np.arange(out_h)
        columns = kx * dilation[1] + stride[1] * np.arange(out_w)
        window = image[rows][:, columns].astype(F)
        want = want + window @ filters[ky, kx].astype(F)
    for y in range(out_h):
        got = core.read(dst + y * out_pitch, destination, out_w * co).reshape(out_w, co)
        np.testing.assert_array_equal(got, want[y].astype(destination))


def test_conv_adds_taps_in_order_with_one_rounding_each(core) -> None:
    """A case where another order, or two roundings, gives other bits."""
    image = np.array([-1, 1 + 2.0**-12, 3e-8], F)
    filters = np.array([[1 + 2.0**-11], [1 + 2.0**-12], [1 / 3]], F)
    core.write(NRAM.base, image)
    core.write(WRAM.base, pack_weights(filters))
    core.run(
        "CONV", "f32.f32", dst=NRAM.base + 256, src=NRAM.base, weight=WRAM.base,
        geometry=packed(1, 1, 1, 1), channels=packed(3, 1, bits=32), steps=packed(1, 1, 1, 1),
        pitches=packed(12, 4, bits=32),
    )  # fmt: skip
    pairs = list(zip(image.tolist(), filters[:, 0].tolist(), strict=True))
    forward, backward = 0.0, 0.0
    for x, w in pairs:
        forward = exact_fma(x, w, forward)
    for x, w in reversed(pairs):
        backward = exact_fma(x, w, backward)
    assert core.read(NRAM.base + 256, F, 1)[0] == forward
    assert forward not in (backward, float(np.cumsum(image * filters[:, 0], dtype=F)[-1]))


def test_quarters() -> None:
    assert [quarter(packed(1, 2, 3, 0xFFFF), at) for at in range(4)] == [1, 2, 3, 0xFFFF]
