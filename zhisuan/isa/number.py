"""Register contents: 64 bits that hold a value of some element type in canonical form.

Signed integers are sign-extended to 64 bits, unsigned ones zero-extended, floats lie in the
low bits with zeros above.  An instruction reads only the low bits its mode names and writes
the canonical form.  A NaN that arithmetic produces is always the positive quiet NaN without
payload, so that every host gives the same bits; loads, stores and moves keep what is there.
"""

from __future__ import annotations

import numpy as np

from zhisuan.base.dtype import BY_NAME

MASK64 = (1 << 64) - 1
INTEGERS = ("i64", "u64", "i32", "u32", "i16", "u16", "i8", "u8")
"""Widest first: assembly without a suffix means a row's first mode."""
FLOATS = ("f16", "f32")
ALL = INTEGERS + FLOATS


def value_of(bits: int, mode: str) -> int | np.floating:
    """The number that register contents `bits` mean in `mode`."""
    dtype = BY_NAME[mode]
    low = bits & ((1 << dtype.bits) - 1)
    if dtype.is_float:
        unsigned = np.uint16 if dtype.size == 2 else np.uint32
        return np.array([low], unsigned).view(dtype.numpy)[0]
    if dtype.is_signed and low >> (dtype.bits - 1):
        return low - (1 << dtype.bits)
    return low


def bits_of(value: int | float | np.floating, mode: str) -> int:
    """The canonical register contents for `value` in `mode`; integers wrap, NaN is quiet."""
    dtype = BY_NAME[mode]
    if dtype.is_float:
        unsigned = np.uint16 if dtype.size == 2 else np.uint32
        return int(quiet(np.array(value, dtype.numpy)).view(unsigned))
    low = int(value) & ((1 << dtype.bits) - 1)
    if dtype.is_signed and low >> (dtype.bits - 1):
        low -= 1 << dtype.bits
    return low & MASK64


def quiet(values: np.ndarray) -> np.ndarray:
    """Results of float arithmetic with every NaN replaced by the canonical one."""
    if values.dtype.kind != "f":
        return values
    return np.where(np.isnan(values), values.dtype.type(np.nan), values)


def signed64(bits: int) -> int:
    """Register contents as a signed 64-bit integer."""
    return bits - (1 << 64) if bits >> 63 else bits
