"""Element types: one row each, with size in bytes and the NumPy type that holds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhisuan.base.errors import ZhisuanError, did_you_mean


@dataclass(frozen=True)
class DType:
    """An element type; `name` is how every text form spells it."""

    name: str
    numpy: np.dtype
    is_float: bool = False
    is_signed: bool = True

    @property
    def size(self) -> int:
        """Bytes per element."""
        return self.numpy.itemsize

    @property
    def bits(self) -> int:
        return 8 * self.size

    def __str__(self) -> str:
        return self.name


BOOL = DType("bool", np.dtype(np.bool_), is_signed=False)
I8 = DType("i8", np.dtype(np.int8))
U8 = DType("u8", np.dtype(np.uint8), is_signed=False)
I16 = DType("i16", np.dtype(np.int16))
U16 = DType("u16", np.dtype(np.uint16), is_signed=False)
I32 = DType("i32", np.dtype(np.int32))
U32 = DType("u32", np.dtype(np.uint32), is_signed=False)
I64 = DType("i64", np.dtype(np.int64))
U64 = DType("u64", np.dtype(np.uint64), is_signed=False)
F16 = DType("f16", np.dtype(np.float16), is_float=True)
F32 = DType("f32", np.dtype(np.float32), is_float=True)
F64 = DType("f64", np.dtype(np.float64), is_float=True)

ALL = (BOOL, I8, U8, I16, U16, I32, U32, I64, U64, F16, F32, F64)
BY_NAME = {dtype.name: dtype for dtype in ALL}
_BY_NUMPY = {dtype.numpy: dtype for dtype in ALL}


def dtype(name: str) -> DType:
    """The type called `name`; an unknown name is an error that offers the nearest."""
    if name not in BY_NAME:
        raise ZhisuanError(
            f"unknown element type '{name}'",
            expected="one of " + ", ".join(BY_NAME),
            hint=did_you_mean(name, BY_NAME),
        )
    return BY_NAME[name]


def from_numpy(numpy_dtype: np.dtype) -> DType:
    """The type NumPy calls `numpy_dtype`; one we do not have is an error."""
    found = _BY_NUMPY.get(np.dtype(numpy_dtype))
    if found is None:
        raise ZhisuanError(
            f"element type {numpy_dtype} is not supported",
            expected="one of " + ", ".join(BY_NAME),
        )
    return found
