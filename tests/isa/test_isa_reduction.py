"""Comparison, selection, reductions, random numbers, pooling and integer convolution."""

from __future__ import annotations

import numpy as np
import pytest

from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.matrix import pack_weights
from zhisuan.isa.table import BY_NAME

A, B, C, D = (NRAM.base + 0x2000 * at for at in range(4))
KINDS = {"f16": "f2", "f32": "f4", "i8": "i1", "i16": "i2", "i32": "i4"}
RANDOM = np.random.default_rng(11)


def values(mode: str, n: int = 40) -> np.ndarray:
    """Few different numbers, so that equals occur; NaN among floats."""
    found = RANDOM.integers(-3, 4, n).astype(KINDS[mode])
    if mode.startswith("f"):
        found[::7] = np.nan
    return found


COMPARISONS = {"VGT": np.greater, "VGE": np.greater_equal, "VLT": np.less, "VLE": np.less_equal,
               "VE": np.equal, "VNE": np.not_equal}  # fmt: skip
LOGIC = {"VAND": np.logical_and, "VOR": np.logical_or, "VXOR": np.logical_xor}


@pytest.mark.parametrize("mode", KINDS)
@pytest.mark.parametrize("name", [*COMPARISONS, *LOGIC])
def test_truth_is_1_in_the_element_type(core, name: str, mode: str) -> None:
    a, b = values(mode), values(mode)
    core.write(A, a)
    core.write(B, b)
    core.run(name, mode, dst=C, n=40, a=A, b=B)
    function = (COMPARISONS | LOGIC)[name]
    assert np.array_equal(core.read(C, KINDS[mode], 40), function(a, b).astype(KINDS[mode]))
    if name in COMPARISONS:
        two = int(np.array(2, KINDS[mode]).view(KINDS[mode].replace("f", "u").replace("i", "u")))
        core.run(name + "S", mode, dst=C, n=40, a=A, s=two)
        want = function(a, np.array(2, KINDS[mode])).astype(KINDS[mode])
        assert np.array_equal(core.read(C, KINDS[mode], 40), want)


@pytest.mark.parametrize("mode", KINDS)
def test_select_collect_count_not(core, mode: str) -> None:
    mask, a, b = values(mode), values(mode), values(mode)
    for place, vector in ((A, mask), (B, a), (C, b)):
        core.write(place, vector)
    core.run("VSEL", mode, dst=D, n=40, mask=A, a=B, b=C)
    np.testing.assert_array_equal(core.read(D, KINDS[mode], 40), np.where(mask != 0, a, b))
    core.run("VCOLLECT", mode, dst=D, n=40, a=B, mask=A)
    packed = a[mask != 0]
    np.testing.assert_array_equal(core.read(D, KINDS[mode], len(packed)), packed)
    core.run("VCOUNT", mode, dst=D, n=40, a=A)
    assert core.read(D, np.uint32, 1)[0] == len(packed)
    core.run("VNOT", mode, dst=D, n=40, a=A)
    assert np.array_equal(core.read(D, KINDS[mode], 40), (mask == 0).astype(KINDS[mode]))


def test_bits_and_look_up(core) -> None:
    a, b = RANDOM.integers(0, 256, (2, 16), np.uint8)
    core.write(A, a)
    core.write(B, b)
    for name, want in (("VBAND", a & b), ("VBOR", a | b), ("VBXOR", a ^ b)):
        core.run(name, "i8", dst=C, n=16, a=A, b=B)
        assert np.array_equal(core.read(C, np.uint8, 16), want)
    table = RANDOM.integers(0, 1 << 16, 300).astype(np.uint16)
    core.write(B, table)
    core.write(A, np.array([299, 0, 7], np.uint16))
    core.run("VLUT", "u16", dst=C, n=3, a=A, table=B, m=300)
    assert core.read(C, np.uint16, 3).tolist() == table[[299, 0, 7]].tolist()
    with pytest.raises(Exception, match="past the end of the table"):
        core.run("VLUT", "u16", dst=C, n=3, a=A, table=B, m=299)


@pytest.mark.parametrize("n", [0, 1, 31, 32, 33, 500])
@pytest.mark.parametrize("mode", BY_NAME["IP"].modes)
def test_sums(core, mode: str, n: int) -> None:
    source, to = (KINDS[part] for part in mode.split("."))
    if source.startswith("f"):
        a, b = RANDOM.normal(size=(2, n)).astype(source)
    else:
        a, b = RANDOM.integers(-100, 100, (2, n)).astype(source)
    core.write(A, a)
    core.write(B, b)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    core.run("IP", mode, dst=C, n=n, a=A, b=B)
    core.run("VSUM", mode, dst=C + 8, n=n, a=A)
    got = [core.read(C, to, 1)[0], core.read(C + 8, to, 1)[0]]
    loose = 2e-3 if to == "f2" else 1e-5
    np.testing.assert_allclose(got, [wide_a @ wide_b, wide_a.sum()], rtol=loose, atol=loose)


def test_the_order_of_sums_is_32_partial_ones() -> None:
    """1e8 swallows a 1 that shares its partial sum, not one that meets its opposite first."""
    from zhisuan.isa.reduction import _sum

    x = np.zeros(64, np.float32)
    x[[0, 32]] = 1e8, 1
    assert _sum(x, None, x.dtype) == np.float32(1e8)
    x[[32, 48, 16]] = -1e8, 1, 0
    assert _sum(x, None, x.dtype) == 1


def test_integer_sums_saturate(core) -> None:
    core.write(A, np.full(4096, -32768, np.int16))
    core.run("IP", "i16.i32", dst=C, n=4096, a=A, b=A)
    assert core.read(C, np.int32, 1)[0] == 2**31 - 1


@pytest.mark.parametrize("mode", KINDS)
def test_extremes_give_the_first_place(core, mode: str) -> None:
    x = values(mode)
    core.write(A, x)
    for name, find in (("VMAX", np.nanargmax), ("VMIN", np.nanargmin)):
        core.run(name, mode, dst=C, n=40, a=A)
        index = int(core.read(C + 4, np.uint32, 1)[0])
        assert index == find(x)
        assert core.read(C, KINDS[mode], 1)[0] == x[index]
    if mode.startswith("f"):
        core.write(A, np.array([np.nan, -np.inf], KINDS[mode]))
        core.run("VMAX", mode, dst=C, n=2, a=A)
        assert core.read(C + 4, np.uint32, 1)[0] == 1
    with pytest.raises(Exception, match="the largest of no elements"):
        core.run("VMAX", mode, dst=C, n=0, a=A)


def test_random_numbers_are_splitmix64(core) -> None:
    core.run("RV", "i32", dst=A, n=3, seed=0)  # known outputs of the generator from state 0
    known = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert core.read(A, np.uint32, 3).tolist() == [word >> 32 for word in known]
    core.run("RV#", "f32", dst=A, n=2000, seed=5)
    x = core.read(A, np.float32, 2000)
    assert x.min() >= 0 and x.max() < 1 and abs(x.mean() - 0.5) < 0.03
    core.run("RV", "f16", dst=B, n=2000, seed=5)
    assert np.array_equal(core.read(B, np.float16, 2000), np.floor(x * 2048) / 2048)


def halves(low: int, high: int) -> int:
    return (low & 0xFFFF_FFFF) | (high & 0xFFFF_FFFF) << 32


@pytest.mark.parametrize("name", ["VPMAX", "VPMIN", "VPSUM", "VPAVG"])
def test_pooling_with_stride_dilation_and_pitches(core, name: str) -> None:
    tile = RANDOM.normal(size=(7, 9, 3)).astype(np.float16)
    for y in range(7):
        core.write(A + 64 * y, tile[y])
    core.run(name, "f16", dst=B, src=A, m=3, pitches=halves(64, 32),
             geometry=2 | 3 << 16 | 3 << 32 | 2 << 48,
             steps=2 | 3 << 16 | 2 << 32 | 2 << 48)  # fmt: skip
    function = {"VPMAX": np.max, "VPMIN": np.min, "VPSUM": np.sum, "VPAVG": np.mean}[name]
    for y in range(2):
        for x in range(3):
            window = tile[2 * y : 2 * y + 5 : 2, 3 * x : 3 * x + 3 : 2].astype(np.float64)
            want = function(window, axis=(0, 1))
            got = core.read(B + 32 * y + 6 * x, np.float16, 3)
            np.testing.assert_allclose(got, want, rtol=2e-3, atol=1e-3)


def test_pooling_integers_and_empty_windows(core) -> None:
    core.write(A, np.array([-128, -128, 100, 27], np.int8))
    one_window = {"src": A, "m": 1, "pitches": halves(2, 4), "steps": 0x0001_0001_0001_0001}
    core.run("VPSUM", "i8.i32", dst=B, geometry=1 | 1 << 16 | 2 << 32 | 2 << 48, **one_window)
    assert core.read(B, np.int32, 1)[0] == -129
    with pytest.raises(Exception, match="a pooling window of no elements"):
        core.run("VPMAX", "i8", dst=B, geometry=1 | 1 << 16 | 2 << 48, **one_window)


@pytest.mark.parametrize("mode", ["i8.i32", "i16.i32", "i8.i32.acc", "i16.i32.acc"])
def test_integer_convolution_is_exact_and_saturates(core, mode: str) -> None:
    kind = np.dtype(mode.split(".")[0].replace("i", "int"))
    limits = np.iinfo(kind)
    x = RANDOM.integers(limits.min, limits.max, (4, 5, 3), kind, endpoint=True)
    w = RANDOM.integers(limits.min, limits.max, (2 * 2 * 3, 5), kind, endpoint=True)
    before = RANDOM.integers(-(2**31), 2**31 - 1, (3, 4, 5)).astype(np.int32)
    core.write(A, x)
    core.write(WRAM.base, pack_weights(w))
    core.write(B, before)
    core.run("CONV", mode, dst=B, src=A, weight=WRAM.base, channels=halves(3, 5),
             geometry=3 | 4 << 16 | 2 << 32 | 2 << 48, steps=0x0001_0001_0001_0001,
             pitches=halves(15 * kind.itemsize, 80))  # fmt: skip
    start = before.astype(np.int64) if mode.endswith("acc") else 0
    wide, filters = x.astype(np.int64), w.astype(np.int64).reshape(2, 2, 3, 5)
    exact = sum(
        wide[ky : ky + 3, kx : kx + 4] @ filters[ky, kx]
        for ky in range(2) for kx in range(2)
    )  # fmt: skip
    want = np.clip(start + exact, -(2**31), 2**31 - 1)
    assert np.array_equal(core.read(B, np.int32, 60).reshape(3, 4, 5), want)
