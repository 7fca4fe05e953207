"""Functions of one element, fused pairs, cyclic comparison, bits, sums of 128 bytes, window
places: results against NumPy, independently of the rows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from conftest import TinyCore

from zhisuan.isa import elementary
from zhisuan.isa.address import NRAM
from zhisuan.isa.number import bits_of

A, B, C, D = (NRAM.base + 0x4000 * i for i in range(4))
F = np.float32
RANDOM = np.random.default_rng(11)
X = RANDOM.normal(0, 3, 300).astype(F)
Y = RANDOM.normal(0, 3, 300).astype(F)
Z = RANDOM.normal(0, 3, 300).astype(F)


def read(core: TinyCore, kind: type, count: int) -> np.ndarray:
    return core.read(D, kind, count)


def gelu(x: float) -> float:
    return 0.5 * x * math.erfc(-x / math.sqrt(2))


@pytest.mark.parametrize(
    ("ours", "exact", "low", "high", "bound"),
    [
        (elementary.sin, math.sin, -1000, 1000, 0.51),
        (elementary.cos, math.cos, -1000, 1000, 0.51),
        (elementary.exp2, lambda x: 2.0**x, -125, 127, 1.6),
        (elementary.log2, math.log2, 1e-3, 0.7, 1.9),
        (elementary.log2, math.log2, 1.5, 1e9, 1.6),
        (elementary.gelu, gelu, -5, 8, 2.2),
    ],
)
def test_error_in_units_of_the_last_place(
    ours: Callable[[np.ndarray], np.ndarray], exact: Callable[[float], float],
    low: float, high: float, bound: float,
) -> None:  # fmt: skip
    x = np.random.default_rng(2).uniform(low, high, 20_000).astype(F)
    wanted = np.array([exact(float(v)) for v in x])
    unit = np.spacing(np.abs(wanted).astype(F)).astype(np.float64)
    assert (np.abs(ours(x) - wanted) / unit).max() < bound


def test_special_values_of_the_functions() -> None:
    x = np.array([0, -0.0, np.inf, -np.inf, np.nan], F)
    with np.errstate(all="ignore"):
        assert elementary.sin(x).tolist()[:2] == [0, 0] and np.isnan(elementary.sin(x)[2:]).all()
        assert np.signbit(elementary.sin(x)[1])
        assert elementary.cos(x).tolist()[:2] == [1, 1] and np.isnan(elementary.cos(x)[2:]).all()
        assert elementary.exp2(x).tolist()[:4] == [1, 1, np.inf, 0]
        assert elementary.log2(x[:3]).tolist() == [-np.inf, -np.inf, np.inf]
        assert elementary.gelu(x).tolist()[:4] == [0, 0, np.inf, 0]
        whole = np.arange(-149, 128).astype(F)
        powers = np.ldexp(F(1), whole.astype(int))
        assert (elementary.exp2(whole) == powers).all()
        assert (elementary.log2(powers) == whole).all()


SINGLES = {
    "VSIGN": np.sign,
    "VSIN": np.sin,
    "VCOS": np.cos,
    "VEXP2": np.exp2,
    "VLOG2": np.log2,
    "VGELU": np.vectorize(gelu),
}


@pytest.mark.parametrize("name", SINGLES)
@pytest.mark.parametrize("mode", ["f16", "f32"])
def test_functions(core: TinyCore, name: str, mode: str) -> None:
    kind = np.float16 if mode == "f16" else F
    x = (np.abs(X) if name == "VLOG2" else X).astype(kind)
    core.write(A, x)
    core.run(name, mode, dst=D, n=len(x), a=A)
    wanted = SINGLES[name](x.astype(np.float64))
    assert np.allclose(
        read(core, kind, len(x)), wanted, rtol=2e-3 if mode == "f16" else 1e-6, atol=1e-6
    )


SIGNS = {"a": np.add, "s": np.subtract, "m": np.multiply}


@pytest.mark.parametrize("names", ["ma", "ms", "am", "sm", "aa", "as", "sa", "ss"])
def test_two_operations_each_round(core: TinyCore, names: str) -> None:
    for mode, kind in (("f16", np.float16), ("f32", F)):
        x, y, z = (v.astype(kind) for v in (X, Y, Z))
        for address, values in ((A, x), (B, y), (C, z)):
            core.write(address, values)
        first, second = SIGNS[names[0]], SIGNS[names[1]]
        core.run("VFUSE", f"{names}.{mode}", dst=D, n=300, a=A, b=B, c=C)
        assert (read(core, kind, 300) == second(first(x, y), z)).all()
        core.run("VFUSES", f"{names}.{mode}", dst=C, n=300, a=A, s=bits_of(1.5, mode), c=C)
        assert (core.read(C, kind, 300) == second(first(x, kind(1.5)), z)).all()


def test_extremes_that_keep_nan(core: TinyCore) -> None:
    core.write(A, np.array([1, np.nan, 3, np.nan], F))
    core.write(B, np.array([2, 2, np.nan, np.nan], F))
    for name, wanted in (("VNMAX", 2), ("VNMIN", 1)):
        core.run(name, "f32", dst=D, n=4, a=A, b=B)
        found = read(core, F, 4)
        assert found[0] == wanted and np.isnan(found[1:]).all()


CYCLIC = {
    "VCGT": np.greater, "VCGE": np.greater_equal, "VCLT": np.less, "VCLE": np.less_equal,
    "VCE": np.equal, "VCNE": np.not_equal, "VCAND": np.logical_and, "VCOR": np.logical_or,
    "VCXOR": np.logical_xor, "VCGTM": np.maximum, "VCLTM": np.minimum,
}  # fmt: skip


@pytest.mark.parametrize("name", CYCLIC)
def test_cyclic_operand(core: TinyCore, name: str) -> None:
    x = RANDOM.integers(-1, 3, 300).astype(F)
    segment = RANDOM.integers(-1, 3, 7).astype(F)
    core.write(A, x)
    core.write(B, segment)
    core.run(name, "f32", dst=D, n=300, a=A, seg=B, m=7)
    assert (read(core, F, 300) == CYCLIC[name](x, np.resize(segment, 300))).all()


def test_cyclic_bytes(core: TinyCore) -> None:
    x, segment = (RANDOM.integers(-128, 128, n).astype(np.int8) for n in (50, 3))
    core.write(A, x)
    core.write(B, segment)
    signs = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}
    for name, sign in signs.items():
        core.run("VCB", f"{name}.i8", dst=D, n=50, a=A, seg=B, m=3)
        assert (read(core, np.int8, 50) == sign(x, np.resize(segment, 50))).all()


def test_whole_numbers(core: TinyCore) -> None:
    x, y = (RANDOM.integers(-(2**31), 2**31, 100).astype(np.int32) for _ in range(2))
    y[y == 0] = 1
    core.write(A, x)
    core.write(B, y)
    for name, sign in (("VBANDS", np.bitwise_and), ("VBORS", np.bitwise_or),
                       ("VBXORS", np.bitwise_xor), ("VSHLS", lambda v, s: v << s % 32),
                       ("VSHRS", lambda v, s: v >> s % 32)):  # fmt: skip
        core.run(name, "i32", dst=D, n=100, a=A, s=0x12345)
        assert (read(core, np.int32, 100) == sign(x, np.int32(0x12345))).all(), name
    core.run("VSHRS", "u32", dst=D, n=100, a=A, s=9)
    assert (read(core, np.uint32, 100) == x.view(np.uint32) >> 9).all()
    for mode, kind in (("i32", np.int32), ("u32", np.uint32)):
        wide = [int(a) * int(b) >> 32 for a, b in zip(x.view(kind), y.view(kind), strict=True)]
        core.run("VMULH", mode, dst=D, n=100, a=A, b=B)
        assert read(core, kind, 100).tolist() == wide
        rest = [int(math.fmod(a, b)) for a, b in zip(x.view(kind), y.view(kind), strict=True)]
        core.run("VREM", mode, dst=D, n=100, a=A, b=B)
        assert read(core, kind, 100).tolist() == rest
    core.write(B, np.zeros(100, np.int32))
    core.run("VREM", "i32", dst=D, n=100, a=A, b=B)
    assert (read(core, np.int32, 100) == x).all()


@pytest.mark.parametrize("n", [0, 1, 8, 13, 300])
def test_bit_masks_and_places(core: TinyCore, n: int) -> None:
    mask = RANDOM.integers(0, 2, n).astype(F)
    core.write(A, mask)
    core.run("VTOBITS", "f32", dst=B, n=n, a=A)
    raw = core.read(B, np.uint8, (n + 7) // 8)
    assert [int(raw[i // 8]) >> i % 8 & 1 for i in range(n)] == mask.tolist()
    core.run("VOFBITS", "f32", dst=D, n=n, a=B)
    assert (read(core, F, n) == mask).all()
    places = np.flatnonzero(mask)
    for name, at in (("VFIRST", 0), ("VLAST", -1)):
        core.run(name, "f32", dst=D, n=n, a=A)
        assert read(core, np.uint32, 1)[0] == (places[at] if len(places) else 0xFFFFFFFF)


def test_sequences(core: TinyCore) -> None:
    core.run("VSEQ", "i32", dst=D, n=9, s=5, value=-3 & (1 << 64) - 1)
    assert read(core, np.int32, 9).tolist() == list(range(5, -22, -3))
    core.run("VSEQ", "f16", dst=D, n=9, s=bits_of(0.5, "f16"), value=bits_of(2, "f16"))
    assert read(core, np.float16, 9).tolist() == [0.5 + 2 * i for i in range(9)]


def test_sums_of_128_bytes(core: TinyCore) -> None:
    x = RANDOM.integers(-8, 8, 150).astype(np.float16)
    core.write(A, x)
    core.run("VGSUM", "f16", dst=A, n=150, a=A)
    found = core.read(A, np.float16, 150)
    assert found[[0, 64, 128]].tolist() == [x[:64].sum(), x[64:128].sum(), x[128:].sum()]
    assert np.count_nonzero(np.delete(found, [0, 64, 128])) == 0


@pytest.mark.parametrize(("name", "find"), [("VPMAXI", np.argmax), ("VPMINI", np.argmin)])
def test_places_in_windows(core: TinyCore, name: str, find: Callable[..., np.ndarray]) -> None:
    x = RANDOM.integers(0, 4, (5, 6, 3)).astype(F)
    core.write(A, x.reshape(-1))
    pack = lambda *parts: sum(part << 16 * i for i, part in enumerate(parts))  # noqa: E731
    core.run(name, "f32.u32", dst=D, src=A, geometry=pack(2, 2, 2, 3), steps=pack(2, 3, 1, 1),
             m=3, pitches=(2 * 3 * 4 << 32) | 6 * 3 * 4)  # fmt: skip
    windows = x[:4].reshape(2, 2, 2, 3, 3).transpose(0, 2, 1, 3, 4).reshape(2, 2, 6, 3)
    assert (read(core, np.uint32, 12).reshape(2, 2, 3) == find(windows, axis=2)).all()


def test_the_index_follows_a_short_number_at_once(core: TinyCore) -> None:
    core.write(A, np.array([1, 5, 7, 7], np.float16))
    core.run("VMAX", "f16", dst=D, n=4, a=A)
    assert read(core, np.uint16, 2)[1] == 2 and core.read(D + 4, np.uint32, 1)[0] == 2
