"""Meanings of scalar rows against NumPy and exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zhisuan.base.dtype import BY_NAME as DTYPES
from zhisuan.isa.elementary import round_integer
from zhisuan.isa.number import ALL, FLOATS, INTEGERS, bits_of, value_of
from zhisuan.isa.table import BY_NAME

WORD = st.one_of(
    st.integers(0, (1 << 64) - 1),
    st.integers(-40, 40).map(lambda x: x & ((1 << 64) - 1)),
    st.sampled_from([1 << 63, 1 << 31, 1 << 15, 0x7F, 0x7C00, 0x7E00, 0x3C00, 0x7F800000]),
)
ARITHMETIC = {"SADD": np.add, "SSUB": np.subtract, "SMUL": np.multiply}
BITWISE = {"SAND": np.bitwise_and, "SOR": np.bitwise_or, "SXOR": np.bitwise_xor}
EXTREME = {"SMIN": np.fmin, "SMAX": np.fmax}
COMPARE = {
    "SEQ": np.equal, "SNE": np.not_equal, "SLT": np.less,
    "SLE": np.less_equal, "SGT": np.greater, "SGE": np.greater_equal,
}  # fmt: skip


def element(bits: int, mode: str) -> np.ndarray:
    """Register contents as NumPy sees the low bytes."""
    kind = DTYPES[mode]
    return np.frombuffer(bits.to_bytes(8, "little")[: kind.size], kind.numpy)


def same(got: int, want: np.ndarray, mode: str) -> bool:
    """Equal as numbers (NaN equals NaN, -0 equals 0), and canonical."""
    value = value_of(got, mode)
    if bits_of(value, mode) != got:
        return False
    return bool(np.array_equal(np.array([value], want.dtype), want, equal_nan=mode in FLOATS))


@given(st.sampled_from([*ARITHMETIC, *BITWISE, *EXTREME]), st.sampled_from(ALL), WORD, WORD)
def test_binary(shared_core, name: str, mode: str, a: int, b: int) -> None:
    function = {**ARITHMETIC, **BITWISE, **EXTREME}[name]
    if mode not in BY_NAME[name].modes:
        return
    with np.errstate(all="ignore"):
        want = function(element(a, mode), element(b, mode))
    assert same(shared_core.run(name, mode, d=0, a=a, b=b), want, mode)


@given(st.sampled_from([*COMPARE]), st.sampled_from(ALL), WORD, WORD)
def test_compare(shared_core, name: str, mode: str, a: int, b: int) -> None:
    want = int(COMPARE[name](element(a, mode), element(b, mode))[0])
    assert shared_core.run(name, mode, d=0, a=a, b=b) == want


@given(st.sampled_from(INTEGERS), WORD, WORD)
@example("i8", 0x80, 0xFF)
@example("i64", 1 << 63, (1 << 64) - 1)
def test_integer_division_truncates_and_wraps(shared_core, mode: str, a: int, b: int) -> None:
    x, y = int(value_of(a, mode)), int(value_of(b, mode))
    if y == 0:
        return
    quotient = int(Fraction(x, y))
    assert shared_core.run("SDIV", mode, d=0, a=a, b=b) == bits_of(quotient, mode)
    assert shared_core.run("SREM", mode, d=0, a=a, b=b) == bits_of(x - y * quotient, mode)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("SDIV", "integer division by zero"), ("SREM", "integer remainder by zero")],
)
def test_division_by_zero_traps(core, name: str, reason: str) -> None:
    with pytest.raises(Exception, match=reason):
        core.run(name, "i32", d=0, a=1, b=1 << 32)  # zero in the low 32 bits


@given(st.sampled_from(FLOATS), WORD, WORD)
def test_float_division(shared_core, mode: str, a: int, b: int) -> None:
    with np.errstate(all="ignore"):
        want = element(a, mode) / element(b, mode)
    assert same(shared_core.run("SDIV", mode, d=0, a=a, b=b), want, mode)


@given(st.sampled_from(INTEGERS), WORD, WORD)
def test_shifts(shared_core, mode: str, a: int, b: int) -> None:
    count = (b & (DTYPES[mode].bits - 1)) * np.ones(1, DTYPES[mode].numpy)
    left = np.left_shift(element(a, mode), count.astype(DTYPES[mode].numpy))
    right = np.right_shift(element(a, mode), count.astype(DTYPES[mode].numpy))
    assert same(shared_core.run("SSHL", mode, d=0, a=a, b=b), left, mode)
    assert same(shared_core.run("SSHR", mode, d=0, a=a, b=b), right, mode)


@given(st.sampled_from(["SADD", "SMUL", "SXOR", "SSHL", "SLT", "SMAX"]), st.sampled_from(INTEGERS),
       WORD, st.integers(-(1 << 35), (1 << 35) - 1))  # fmt: skip
def test_immediate_form_is_the_register_form(shared_core, name, mode, a, b) -> None:  # type: ignore[no-untyped-def]
    register = b & ((1 << 64) - 1)
    assert shared_core.run(name + "#", mode, d=0, a=a, b=b) == shared_core.run(
        name, mode, d=0, a=a, b=register
    )


def test_equal_zeros_give_the_second(core) -> None:
    minus = bits_of(-0.0, "f32")
    assert core.run("SMIN", "f32", d=0, a=minus, b=0) == 0
    assert core.run("SMAX", "f32", d=0, a=0, b=minus) == minus


def test_moves_and_constants(core) -> None:
    assert core.run("SMOVE", d=0, a=1 << 63) == 1 << 63
    assert core.run("SSEL", d=0, p=2, a=5, b=6) == 6
    assert core.run("SSEL", d=0, p=3, a=5, b=6) == 5
    low = core.run("SLOAD#", d=0, imm=-2)
    assert low == (1 << 64) - 2
    assert core.run("SHIGH#", d=low, imm=0x1234) == 0x1234_FFFF_FFFE
    assert core.run("SHIGH#", d=low, imm=-1) == low
    assert core.run("SGET#", d=0, index=4) == 1004


@given(WORD)
def test_counts(shared_core, a: int) -> None:
    for mode, bits in (("u8", 8), ("u16", 16), ("u32", 32), ("u64", 64)):
        text = format(a & ((1 << bits) - 1), f"0{bits}b")
        assert shared_core.run("SCLZ", mode, d=0, a=a) == bits - len(text.lstrip("0"))
        assert shared_core.run("SCTZ", mode, d=0, a=a) == bits - len(text.rstrip("0"))
        assert shared_core.run("SPOP", mode, d=0, a=a) == text.count("1")


@given(WORD, WORD)
def test_high_product(shared_core, a: int, b: int) -> None:
    assert shared_core.run("SMULH", "u64", d=0, a=a, b=b) == a * b >> 64
    x, y = int(value_of(a, "i64")), int(value_of(b, "i64"))
    assert value_of(shared_core.run("SMULH", "i64", d=0, a=a, b=b), "i64") == x * y >> 64


def nearest_even(value: Fraction, digits: int, least: int) -> Fraction:
    """`value` rounded to `digits` significant bits, no finer than 2^least."""
    if not value:
        return value
    exponent = 0
    while abs(value) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    while abs(value) < Fraction(2) ** exponent:
        exponent -= 1
    step = Fraction(2) ** max(exponent - digits + 1, least)
    return round(value / step) * step


@given(WORD)
@example((1 << 24) + 1)  # a half: to even
@example((1 << 24) + 3)
@example((1 << 63) + (1 << 39))
@example(2049)
@example(65519)
def test_integer_to_float_rounds_once(shared_core, a: int) -> None:
    for source in ("i64", "u64"):
        value = int(value_of(a, source))
        exact = nearest_even(Fraction(value), 24, 0)
        assert Fraction(float(round_integer(value, "f32"))) == exact
        half = nearest_even(Fraction(value), 11, 0)
        got = value_of(shared_core.run("SCVT", f"{source}.f16", d=0, a=a), "f16")
        if abs(half) >= 65536:
            assert np.isinf(got) and (got > 0) == (value > 0)
        else:
            assert Fraction(float(got)) == half


@given(st.sampled_from(FLOATS), st.sampled_from(INTEGERS), WORD)
@example("f32", "i64", 0x5F000000)  # 2^63
@example("f32", "u64", 0xBF800000)  # -1
def test_float_to_integer_truncates_and_saturates(shared_core, source, to, a) -> None:  # type: ignore[no-untyped-def]
    value = float(element(a, source)[0])
    limits = np.iinfo(DTYPES[to].numpy)
    if np.isnan(value):
        want = 0
    elif np.isinf(value):
        want = int(limits.max if value > 0 else limits.min)
    else:
        want = min(max(int(value), int(limits.min)), int(limits.max))
    assert shared_core.run("SCVT", f"{source}.{to}", d=0, a=a) == bits_of(want, to)


@given(WORD)
def test_conversions_between_floats_and_between_integers(shared_core, a: int) -> None:
    with np.errstate(all="ignore"):
        wide = element(a, "f16").astype(np.float32)
        narrow = element(a, "f32").astype(np.float16)
    assert same(shared_core.run("SCVT", "f16.f32", d=0, a=a), wide, "f32")
    assert same(shared_core.run("SCVT", "f32.f16", d=0, a=a), narrow, "f16")
    for to in INTEGERS:
        want = np.array([value_of(a, to)], DTYPES[to].numpy)
        assert same(shared_core.run("SCVT", f"i64.{to}", d=0, a=a), want, to)


def test_square_root(core) -> None:
    assert value_of(core.run("SSQRT", "f32", d=0, a=bits_of(2.0, "f32")), "f32") == np.sqrt(
        np.float32(2)
    )
    assert np.isnan(value_of(core.run("SSQRT", "f16", d=0, a=bits_of(-1.0, "f16")), "f16"))


@given(st.sampled_from(ALL), WORD)
def test_load_reads_what_store_wrote(shared_core, mode: str, value: int) -> None:
    base = 0x0100_0100
    shared_core.run("SSTORE", mode, value=value, base=base + 64, offset=-64)
    got = shared_core.run("SLOAD", mode, d=0, base=base - 8, offset=8)
    size = DTYPES[mode].bits
    assert got & ((1 << size) - 1) == value & ((1 << size) - 1)
    if mode in INTEGERS:
        assert got == bits_of(value_of(value, mode), mode)
    else:
        assert got >> size == 0


def test_branches(core) -> None:
    for name, pred, taken in (("CB", 1, True), ("CB", 2, False), ("CBZ", 1, False),
                              ("CBZ", 2, True)):  # fmt: skip
        core.pc = 10
        core.run(name, target=-3, pred=pred)
        assert core.pc == (7 if taken else 10)
    core.pc = 10
    assert core.run("CALL", link=0, target=5) == 10 and core.pc == 15
    assert core.run("CALLR", link=0, a=3) == 15 and core.pc == 3
    core.run("JUMPR", a=9)
    core.run("JUMP", target=1)
    assert core.pc == 10
    core.run("HALT")
    assert core.halted
    with pytest.raises(Exception, match="assertion failed"):
        core.run("TRAP", code=1)
