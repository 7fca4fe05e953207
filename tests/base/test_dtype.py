"""The table of element types."""

import numpy as np
import pytest

from zhisuan.base import dtype
from zhisuan.base.errors import ZhisuanError


def test_every_type_is_found_by_name_and_by_numpy() -> None:
    for row in dtype.ALL:
        assert dtype.dtype(row.name) is row
        assert dtype.from_numpy(row.numpy) is row
        assert row.bits == 8 * row.size == 8 * row.numpy.itemsize
        assert str(row) == row.name


def test_kind_flags_agree_with_numpy() -> None:
    for row in dtype.ALL:
        assert row.is_float == (row.numpy.kind == "f")
        assert row.is_signed == (row.numpy.kind in "if")


def test_unknown_name() -> None:
    with pytest.raises(ZhisuanError) as caught:
        dtype.dtype("bol")
    assert str(caught.value) == (
        "error: unknown element type 'bol'\n"
        "  expected: one of bool, i8, u8, i16, u16, i32, u32, i64, u64, f16, f32, f64\n"
        "  try:      did you mean 'bool'?"
    )


def test_unknown_numpy_type() -> None:
    with pytest.raises(ZhisuanError) as caught:
        dtype.from_numpy(np.dtype("complex64"))
    assert str(caught.value) == (
        "error: element type complex64 is not supported\n"
        "  expected: one of bool, i8, u8, i16, u16, i32, u32, i64, u64, f16, f32, f64"
    )
