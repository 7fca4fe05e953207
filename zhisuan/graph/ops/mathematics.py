"""Functions of one or two numbers, element by element: angles, rounding, remainders, bits."""

from __future__ import annotations

import math

import numpy as np

from zhisuan.base.dtype import BOOL, DType
from zhisuan.graph.handle import F
from zhisuan.graph.ops.rules import broadcast, float_dtype, same_dtype, same_shape
from zhisuan.graph.registry import Call, gradient, op

STEPWISE = "constant between steps"
INTEGERS = "of integers"


@op(shape=same_shape, dtype=float_dtype, onnx="Sin", aten="sin")
def sin(x):
    """The sine of x radians."""
    return np.sin(x)


@gradient("sin")
def _(g, x):
    return g * F.cos(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Cos", aten="cos")
def cos(x):
    """The cosine of x radians."""
    return np.cos(x)


@gradient("cos")
def _(g, x):
    return -g * F.sin(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Tan", aten="tan")
def tan(x):
    """The tangent of x radians."""
    return np.tan(x)


@gradient("tan")
def _(g, y):
    return g * (y * y + 1)


@op(shape=same_shape, dtype=float_dtype, onnx="Asin", aten=("asin", "arcsin"))
def asin(x):
    """The angle from -π/2 to π/2 whose sine is x."""
    return np.arcsin(x)


@gradient("asin")
def _(g, x):
    return g / F.sqrt(1 - x * x)


@op(shape=same_shape, dtype=float_dtype, onnx="Acos", aten=("acos", "arccos"))
def acos(x):
    """The angle from 0 to π whose cosine is x."""
    return np.arccos(x)


@gradient("acos")
def _(g, x):
    return -g / F.sqrt(1 - x * x)


@op(shape=same_shape, dtype=float_dtype, onnx="Atan", aten=("atan", "arctan"))
def atan(x):
    """The angle from -π/2 to π/2 whose tangent is x."""
    return np.arctan(x)


@gradient("atan")
def _(g, x):
    return g / (x * x + 1)


@op(shape=same_shape, dtype=float_dtype, onnx="Sinh", aten="sinh")
def sinh(x):
    """The hyperbolic sine of x."""
    return np.sinh(x)


@gradient("sinh")
def _(g, x):
    return g * F.cosh(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Cosh", aten="cosh")
def cosh(x):
    """The hyperbolic cosine of x."""
    return np.cosh(x)


@gradient("cosh")
def _(g, x):
    return g * F.sinh(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Asinh", aten=("asinh", "arcsinh"))
def asinh(x):
    """The number whose hyperbolic sine is x."""
    return np.arcsinh(x)


@gradient("asinh")
def _(g, x):
    return g / F.sqrt(x * x + 1)


@op(shape=same_shape, dtype=float_dtype, onnx="Acosh", aten=("acosh", "arccosh"))
def acosh(x):
    """The positive number whose hyperbolic cosine is x."""
    return np.arccosh(x)


@gradient("acosh")
def _(g, x):
    return g / (F.sqrt(x - 1) * F.sqrt(x + 1))


@op(shape=same_shape, dtype=float_dtype, onnx="Atanh", aten=("atanh", "arctanh"))
def atanh(x):
    """The number whose hyperbolic tangent is x."""
    return np.arctanh(x)


@gradient("atanh")
def _(g, x):
    return g / (1 - x * x)


def _erf(x: float) -> float:
    return math.erf(x)


@op(shape=same_shape, dtype=float_dtype, onnx="Erf", aten="erf")
def erf(x):
    """2/√π times the integral of e^(-t²) from 0 to x."""
    return np.vectorize(_erf, otypes=[np.float64])(x).astype(x.dtype)


@gradient("erf")
def _(g, x):
    return g * F.exp(-x * x) * (2 / math.sqrt(math.pi))


@op(shape=same_shape, dtype=float_dtype, aten="expm1", onnx_note="Exp and Sub in ONNX")
def expm1(x):
    """e to the power x, less 1; exact for small x."""
    return np.expm1(x)


@gradient("expm1")
def _(g, y):
    return g * (y + 1)


@op(shape=same_shape, dtype=float_dtype, aten="log1p", onnx_note="Add and Log in ONNX")
def log1p(x):
    """The natural logarithm of 1 + x; exact for small x."""
    return np.log1p(x)


@gradient("log1p")
def _(g, x):
    return g / (x + 1)


@op(shape=same_shape, dtype=float_dtype, onnx="Softplus", aten="softplus")
def softplus(x):
    """ln(1 + e^x), written so that no exponential overflows."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@gradient("softplus")
def _(g, x):
    return g * F.sigmoid(x)


@op(shape=same_shape, dtype=same_dtype, onnx="Floor", aten="floor", flat=STEPWISE)
def floor(x):
    """The largest whole number that is not above x."""
    return np.floor(x) if x.dtype.kind == "f" else x


@op(shape=same_shape, dtype=same_dtype, onnx="Ceil", aten="ceil", flat=STEPWISE)
def ceil(x):
    """The smallest whole number that is not below x."""
    return np.ceil(x) if x.dtype.kind == "f" else x


@op(shape=same_shape, dtype=same_dtype, onnx="Round", aten="round", flat=STEPWISE)
def round(x):
    """The nearest whole number; halves go to the even one."""
    return np.rint(x) if x.dtype.kind == "f" else x


@op(shape=same_shape, dtype=same_dtype, aten=("trunc", "fix"), flat=STEPWISE,
    onnx_note="Sign, Abs and Floor in ONNX")  # fmt: skip
def trunc(x):
    """x without what is behind the point."""
    return np.trunc(x) if x.dtype.kind == "f" else x


@op(shape=broadcast, dtype=same_dtype, onnx="Mod", aten="remainder")
def mod(a, b):
    """a - floor(a / b) · b: what is left has the sign of b; sizes broadcast."""
    return np.mod(a, b)


@gradient("mod")
def _(g, a, b):
    return F.sum_like(g, a), F.sum_like(-g * F.floor(a / b), b)


@op(shape=broadcast, dtype=same_dtype, aten="fmod", onnx_note="Mod with fmod=1 in ONNX")
def fmod(a, b):
    """a - trunc(a / b) · b: what is left has the sign of a; sizes broadcast."""
    return np.fmod(a, b)


@gradient("fmod")
def _(g, a, b):
    return F.sum_like(g, a), F.sum_like(-g * F.trunc(a / b), b)


@op(shape=broadcast, dtype=same_dtype, aten="floor_divide", flat=STEPWISE,
    onnx_note="Div and Floor in ONNX")  # fmt: skip
def floor_div(a, b):
    """The largest whole number that is not above a / b; sizes broadcast."""
    return np.floor_divide(a, b)


@op(shape=broadcast, dtype=float_dtype, aten=("atan2", "arctan2"), onnx_note="not in ONNX")
def atan2(a, b):
    """The angle from -π to π of the point (b, a); sizes broadcast."""
    return np.arctan2(a, b)


@gradient("atan2")
def _(g, a, b):
    share = g / (a * a + b * b)
    return F.sum_like(share * b, a), F.sum_like(-share * a, b)


def truth_of_float(call: Call) -> DType:
    float_dtype(call)
    return BOOL


@op(shape=same_shape, dtype=truth_of_float, onnx="IsNaN", aten="isnan", flat=STEPWISE)
def is_nan(x):
    """Whether x is not a number."""
    return np.isnan(x)


@op(shape=same_shape, dtype=truth_of_float, onnx="IsInf", aten="isinf", flat=STEPWISE)
def is_inf(x, *, positive: bool = True, negative: bool = True):
    """Whether x is infinite, of the signs that count."""
    return (np.isposinf(x) & positive) | (np.isneginf(x) & negative)


def integer_dtype(call: Call) -> DType:
    """As `same_dtype`, integers only."""
    dtype = same_dtype(call)
    if dtype.is_float or dtype == BOOL:
        call.fail("works on integers only", expected="an integer type", found=str(dtype))
    return dtype


@op(shape=broadcast, dtype=integer_dtype, onnx="BitwiseAnd", aten="bitwise_and", flat=INTEGERS)
def bitwise_and(a, b):
    """The bits that both have; sizes broadcast."""
    return np.bitwise_and(a, b)


@op(shape=broadcast, dtype=integer_dtype, onnx="BitwiseOr", aten="bitwise_or", flat=INTEGERS)
def bitwise_or(a, b):
    """The bits that one or both have; sizes broadcast."""
    return np.bitwise_or(a, b)


@op(shape=broadcast, dtype=integer_dtype, onnx="BitwiseXor", aten="bitwise_xor", flat=INTEGERS)
def bitwise_xor(a, b):
    """The bits that just one has; sizes broadcast."""
    return np.bitwise_xor(a, b)


@op(shape=same_shape, dtype=integer_dtype, onnx="BitwiseNot", aten="bitwise_not", flat=INTEGERS)
def bitwise_not(x):
    """Every bit turned."""
    return np.bitwise_not(x)


@op(shape=broadcast, dtype=integer_dtype, onnx="BitShift", aten="bitwise_left_shift", flat=INTEGERS)
def shift_left(a, b):
    """a · 2^b without the bits that leave; by the width or more it is 0; sizes broadcast."""
    return np.where(b < 8 * a.dtype.itemsize, np.left_shift(a, b), 0).astype(a.dtype)


@op(shape=broadcast, dtype=integer_dtype, aten="bitwise_right_shift", flat=INTEGERS,
    onnx_note="BitShift to the right in ONNX")  # fmt: skip
def shift_right(a, b):
    """a / 2^b, rounded down; sizes broadcast."""
    width = 8 * a.dtype.itemsize
    return np.right_shift(a, np.minimum(b, width - 1)) if a.dtype.kind == "i" else np.where(
        b < width, np.right_shift(a, b), 0
    ).astype(a.dtype)  # fmt: skip
