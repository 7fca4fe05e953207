"""4-bit integers: where they lie in bytes, conversion, requantisation and convolution."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.element import bytes_of, packed, unpacked
from zhisuan.isa.matrix import filter_bytes, pack_weights_i4, unpack_weights_i4

A, B, S = NRAM.base, NRAM.base + 0x2000, NRAM.base + 0x4000


def raw(core, address: int, size: int) -> list[int]:  # type: ignore[no-untyped-def]
    return core.read(address, np.uint8, size).tolist()


def test_the_first_of_two_lies_in_the_low_half() -> None:
    assert packed(np.array([1, -2, 7], np.int8)).tolist() == [0xE1, 0x07]
    assert unpacked(np.array([0xE1, 0x87], np.uint8)).tolist() == [1, -2, 7, -8]
    assert [bytes_of("i4", n) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]


def test_conversions(core) -> None:
    core.write(A, np.array([1, -2, 100, -100, 7], np.int8))
    core.write(B, np.full(4, 0xFF, np.uint8))
    core.run("VCVT4", "i8.i4", dst=B, n=5, a=A)
    assert raw(core, B, 4) == [0xE1, 0x87, 0x07, 0xFF]  # saturated; the spare half is 0
    core.run("VCVT4", "i4.i8", dst=A, n=5, a=B)
    assert core.read(A, np.int8, 5).tolist() == [1, -2, 7, -8, 7]
    for kind, name in ((np.float16, "f16"), (np.float32, "f32")):
        core.write(B, np.array([0xE1, 0x87], np.uint8))
        core.run("VCVT4", f"i4.{name}", dst=A, n=4, a=B)
        assert core.read(A, kind, 4).tolist() == [1, -2, 7, -8]
        core.write(A, np.array([2.5, -2.5, np.nan, 9.4], kind))
        core.run("VCVT4", f"{name}.i4", dst=B, n=4, a=A)
        assert raw(core, B, 2) == [0xE2, 0x70]
        core.run("VCVT4", f"{name}.i4.oz", dst=B, n=4, a=A)
        assert raw(core, B, 2) == [0xD3, 0x70]


def test_requantisation(core) -> None:
    core.write(A, np.array([24, -24, 1000, -1000], np.int32))
    core.run("VREQ", "i32.i4", dst=B, n=4, a=A, mul=1, bits=4)
    assert raw(core, B, 2) == [0xF2, 0x87]  # 24 / 16 is 1.5: up; -1.5: up too
    core.write(S, np.array([0.125, 0.25], np.float32))
    core.write(S + 64, np.array([0, 1], np.float32))
    core.run("VAFFINE", "i32.i4.relu", dst=B, n=4, a=A, scale=S, shift=S + 64, m=2)
    assert raw(core, B, 2) == [0x03, 0x07]
    core.write(B, packed(np.array([-8, 3, 5], np.int8)))
    core.run("VAFFINE", "i4.f32", dst=A, n=3, a=B, scale=S, shift=S + 64, m=2)
    assert core.read(A, np.float32, 3).tolist() == [-1.0, 1.75, 0.625]


@pytest.mark.parametrize(("taps", "channels"), [(1, 1), (127, 3), (128, 64), (129, 65), (300, 130)])
def test_filters_pack_and_unpack(taps: int, channels: int) -> None:
    filters = np.random.default_rng(taps).integers(-8, 8, (taps, channels)).astype(np.int8)
    data = pack_weights_i4(filters)
    assert data.size == filter_bytes(taps, channels, 4)
    np.testing.assert_array_equal(unpack_weights_i4(data, taps, channels), filters)


@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize(("ci", "co"), [(3, 5), (8, 66)])
def test_convolution(core, ci: int, co: int, accumulate: bool) -> None:
    """3 × 3 on 4 × 5 pixels; rows of an odd number of neurons end with half a byte."""
    draw = np.random.default_rng(ci)
    image = draw.integers(-8, 8, (4, 5, ci)).astype(np.int8)
    filters = draw.integers(-8, 8, (3, 3, ci, co)).astype(np.int8)
    start = draw.integers(-99, 99, (2, 3, co)).astype(np.int32)
    pitch = int(bytes_of("i4", 5 * ci)) + 3
    for y in range(4):
        core.write(A + y * pitch, packed(image[y].reshape(-1)))
    core.write(B, start)
    core.write(WRAM.base, pack_weights_i4(filters.reshape(-1, co)))
    ones = 1 | 1 << 16 | 1 << 32 | 1 << 48
    core.run("CONV", "i4.i32.acc" if accumulate else "i4.i32", dst=B, src=A, weight=WRAM.base,
             geometry=2 | 3 << 16 | 3 << 32 | 3 << 48, channels=ci | co << 32, steps=ones,
             pitches=pitch | 3 * co * 4 << 32)  # fmt: skip
    want = start.astype(np.int64) if accumulate else np.zeros((2, 3, co), np.int64)
    for ky, kx in np.ndindex(3, 3):
        window = image[ky : ky + 2, kx : kx + 3].astype(np.int64)
        want = want + window @ filters[ky, kx].astype(np.int64)
    np.testing.assert_array_equal(core.read(B, np.int32, 6 * co).reshape(2, 3, co), want)
