"""Built-ins on vectors against NumPy: arithmetic, functions, comparison, logic, selection."""

from __future__ import annotations

import math

import numpy as np
import pytest
from builtin_cases import Case, calls, check

from zhisuan.isa.elementary import exp2, gelu, log2, sigmoid

RANDOM = np.random.default_rng(5)
N = 384
H, F, W = np.float16, np.float32, np.int32
FLOATS = (H, F)
NAME = {H: "half", F: "float"}


def draw(kind: type, low: float = -3, high: float = 3, n: int = N) -> np.ndarray:
    return RANDOM.uniform(low, high, n).astype(kind)


def small(kind: type, n: int = N) -> np.ndarray:
    """Few different numbers, so that comparisons find equals."""
    return RANDOM.integers(-1, 3, n).astype(kind)


CASES: list[Case] = []


def enter(call: str, expected: object, *inputs: np.ndarray, tolerance: float = 0,
          start: np.ndarray | None = None) -> None:  # fmt: skip
    CASES.append(Case(call, np.asarray(expected), inputs, tolerance, start=start))


PAIRS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
    "maxequal": np.fmax, "minequal": np.fmin, "maximum": np.fmax, "minimum": np.fmin,
    "nan_maximum": np.maximum, "nan_minimum": np.minimum,
}  # fmt: skip
for _kind in FLOATS:
    _x, _y = draw(_kind), draw(_kind)
    for _name, _function in PAIRS.items():
        enter(f"__bang_{_name}(d, a, b, n)", _function(_x, _y), _x, _y)
    enter("__bang_div(d, a, b, b, n)", _x / _y, _x, _y)
    enter("__bang_nan_maximum(d, a, b, n)", np.full(64, np.nan, _kind),
          np.full(64, np.nan, _kind), _y[:64])  # fmt: skip
    for _name, _function in (("add_scalar", np.add), ("sub_scalar", np.subtract),
                             ("mul_scalar", np.multiply), ("add_const", np.add),
                             ("sub_const", np.subtract), ("mul_const", np.multiply),
                             ("maxeq_scalar", np.fmax), ("mineq_scalar", np.fmin)):  # fmt: skip
        enter(f"__bang_{_name}(d, a, 0.37f, n)", _function(_x, _kind(0.37)), _x)
    _seg = draw(_kind, n=N // 6)
    _all = np.resize(_seg, N)
    for _name, _function in (("add", np.add), ("sub", np.subtract), ("mul", np.multiply),
                             ("maxequal", np.fmax), ("minequal", np.fmin)):  # fmt: skip
        enter(f"__bang_cycle_{_name}(d, a, b, n, {N // 6})", _function(_x, _all), _x, _seg)
    enter("__bang_square(d, a, n)", _x * _x, _x)
    enter("__bang_neg(d, a, n)", -_x, _x)

EXACT = {
    "active_relu": lambda x: np.maximum(x, 0), "relu": lambda x: np.maximum(x, 0),
    "active_abs": np.abs, "abs": np.abs, "active_sqrt": np.sqrt, "sqrt": np.sqrt,
    "active_sqrthp": np.sqrt, "active_recip": lambda x: x.dtype.type(1) / x,
    "recip": lambda x: x.dtype.type(1) / x, "active_reciphp": lambda x: x.dtype.type(1) / x,
    "active_recip_greater_1": lambda x: x.dtype.type(1) / x, "active_sign": np.sign,
    "active_rsqrt": lambda x: x.dtype.type(1) / np.sqrt(x), "floor": np.floor, "ceil": np.ceil,
    "trunc": np.trunc, "pow2": lambda x: exp2(x).astype(x.dtype),
    "log2": lambda x: log2(x).astype(x.dtype), "active_gelu": lambda x: gelu(x).astype(x.dtype),
    "active_gelup": lambda x: gelu(x).astype(x.dtype),
    "active_sigmoid": lambda x: sigmoid(x).astype(x.dtype),
    "sigmoid": lambda x: sigmoid(x).astype(x.dtype), "gelu": lambda x: gelu(x).astype(x.dtype),
    "rsqrt": lambda x: x.dtype.type(1) / np.sqrt(x), "sign": np.sign,
    "round": lambda x: np.floor(x + x.dtype.type(0.5)),
}  # fmt: skip
CLOSE = {
    "active_exp": np.exp, "active_exp_less_0": np.exp, "active_exphp": np.exp,
    "active_log": np.log, "active_tanh": np.tanh, "active_sin": np.sin, "sin": np.sin,
    "active_cos": np.cos, "cos": np.cos, "exp": np.exp, "log": np.log, "tanh": np.tanh,
    "active_loghp": np.log,
}  # fmt: skip
for _kind in FLOATS:
    _x = draw(_kind, 0.1, 4)
    for _name, _function in EXACT.items():
        enter(f"__bang_{_name}(d, a, n)", _function(_x).astype(_kind), _x)
    for _name, _function in CLOSE.items():
        enter(f"__bang_{_name}(d, a, n)", _function(_x.astype(np.float64)).astype(_kind), _x,
              tolerance=1e-3 if _kind is H else 1e-6)  # fmt: skip

_i, _j = RANDOM.integers(-50, 50, N).astype(W), RANDOM.integers(1, 9, N).astype(W)
enter("__bang_add(d, a, b, n)", _i + _j, _i, _j)
enter("__bang_mul(d, a, b, n)", _i * _j, _i, _j)
enter("__bang_mul_scalar(d, a, 7, n)", _i * 7, _i)
enter("__bang_rem(d, a, b, n)", np.fmod(_i, _j), _i, _j)
enter("__bang_srl(d, a, 3, n)", (_i.view(np.uint32) >> 3).view(W), _i)
enter("__bang_sra(d, a, 3, n)", _i >> 3, _i)
enter("__bang_sll(d, a, 3, n)", _i << 3, _i)
enter("__bang_abs(d, a, n)", np.abs(_i), _i)
enter("__bang_eq_scalar(d, a, 3, n)", (_i == 3).astype(W), _i)

_fused = {"FMA": ("*", "+"), "FMS": ("*", "-"), "FAM": ("+", "*"), "FSM": ("-", "*"),
          "FAA": ("+", "+"), "FAS": ("+", "-"), "FSA": ("-", "+"), "FSS": ("-", "-")}  # fmt: skip
_signs = {"+": np.add, "-": np.subtract, "*": np.multiply}
for _name, (_first, _second) in _fused.items():
    _x, _y, _z = draw(H), draw(H), draw(H)
    _one, _two = _signs[_first], _signs[_second]
    enter(f"__bang_fusion(FUSION_{_name}, d, a, b, c, n, n)", _two(_one(_x, _y), _z), _x, _y, _z)
    enter(f"__bang_fusion(FUSION_{_name}, d, a, (half)1.5f, b, n, n)",
          _two(_one(_x, H(1.5)), _z), _x, _z)  # fmt: skip
    enter(f"__bang_fusion(FUSION_{_name}, d, a, b, (half)1.5f, n, 64)",
          _two(_one(_x, np.resize(_y[:64], N)), H(1.5)), _x, _y)  # fmt: skip
    enter(f"__bang_fusion(FUSION_{_name}, d, a, (half)0.5f, (half)1.5f, n)",
          _two(_one(_x, H(0.5)), H(1.5)), _x)  # fmt: skip
_x, _z = draw(F), draw(F)
enter("__bang_fusion(FUSION_FMA, d, a, 2.5f, d, n, n)", _x * F(2.5) + _z, _x, start=_z)

COMPARISONS = {"gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal,
               "eq": np.equal, "ne": np.not_equal}  # fmt: skip
LOGIC = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}
for _kind in FLOATS:
    _x, _y = small(_kind), small(_kind)
    _long, _other = small(_kind, 1024), small(_kind, 1024)
    _seg, _all = _y[:64], np.resize(_y[:64], N)
    for _name, _function in COMPARISONS.items():
        enter(f"__bang_{_name}(d, a, b, n)", _function(_x, _y).astype(_kind), _x, _y)
        enter(f"__bang_{_name}_scalar(d, a, 1, n)", _function(_x, 1).astype(_kind), _x)
        enter(f"__bang_cycle_{_name}(d, a, b, n, 64)", _function(_x, _all).astype(_kind), _x, _seg)
        enter(f"__bang_{_name}_bitindex(({NAME[_kind]} *)d, a, b, n)",
              np.packbits(_function(_long, _other), bitorder="little"), _long, _other)  # fmt: skip
    for _name, _function in LOGIC.items():
        enter(f"__bang_{_name}(d, a, b, n)", _function(_x, _y).astype(_kind), _x, _y)
        enter(f"__bang_cycle_{_name}(d, a, b, n, 64)", _function(_x, _all).astype(_kind), _x, _seg)
    enter("__bang_not(d, a, n)", (_x == 0).astype(_kind), _x)
    _packed = _x[_y != 0]
    _padded = np.concatenate([_packed, np.zeros(N - len(_packed), _kind)])
    enter("__bang_collect(d, a, b, n)", _padded, _x, _y)
    enter("__bang_filter(d, a, b, n)", _padded, _x, _y)
    _head = np.zeros(128, np.uint8)
    _head[:4].view(np.uint32)[0] = len(_packed)
    enter("__bang_select(d, a, b, n)", np.concatenate([_head.view(_kind), _padded]), _x, _y)
    enter("__bang_maskmove(d, a, b, n)", np.where(_y != 0, _x, _kind(9)), _x, _y,
          start=np.full(N, 9, _kind))  # fmt: skip
    enter("__bang_count(d, a, n)", np.array([np.count_nonzero(_x)], np.uint32), _x)
    enter("d[0] = __bang_count(a, n)", np.array([np.count_nonzero(_x)], np.uint32), _x)
    _mask = _other != 0
    _bits, _chosen = np.packbits(_mask, bitorder="little"), _long[_mask]
    _rest = np.zeros(1024 - len(_chosen), _kind)
    for _name in ("collect", "filter"):
        enter(
            f"__bang_{_name}_bitindex(d, a, b, n)", np.concatenate([_chosen, _rest]), _long, _bits
        )
    _head = np.zeros(128, np.uint8)
    _head[:4].view(np.uint32)[0] = len(_chosen)
    enter("__bang_select_bitindex(d, a, b, n)",
          np.concatenate([_head.view(_kind), _chosen, _rest]), _long, _bits)  # fmt: skip
    enter("__bang_maskmove_bitindex(d, a, b, n)", np.where(_mask, _long, 0), _long, _bits)
    enter(f"__bang_count_bitindex(d, ({NAME[_kind]} *)a, 1024)",
          np.array([_mask.sum()], np.uint32), _bits)  # fmt: skip
_b, _c = (RANDOM.integers(-128, 128, N).astype(np.int8) for _ in range(2))
for _name, _function in (("and", np.bitwise_and), ("or", np.bitwise_or), ("xor", np.bitwise_xor)):
    enter(f"__bang_b{_name}((char *)d, (char *)a, (char *)b, n)", _function(_b, _c), _b, _c)
    enter(f"__bang_cycle_b{_name}((char *)d, (char *)a, (char *)b, n, 128)",
          _function(_b, np.resize(_c[:128], N)), _b, _c)  # fmt: skip
    enter(f"__bang_b{_name}_scalar(d, a, 0x1234567, n)", _function(_i, W(0x1234567)), _i)
enter("__bang_bnot((char *)d, (char *)a, n)", ~_b, _b)
_index, _table = RANDOM.integers(0, 10, N).astype(W), RANDOM.integers(-9, 9, 10).astype(W)
enter("__bang_lut(d, a, b, n, 10)", _table[_index], _index, _table)
enter("__bang_lut_s32(d, a, b, n, 10)", _table[_index], _index, _table)
enter("__bang_lut_s16(d, a, b, n, 10)", _table.astype(np.int16)[_index], _index.astype(np.int16),
      _table.astype(np.int16))  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)), ids=calls(CASES))
def test_builtin(number: int) -> None:
    first = number // 60 * 60  # some at a time, so that programs stay small
    check(CASES[first : first + 60], number - first)


def test_every_case_is_finite() -> None:
    """Or compares with NaN on purpose: a case that expects only zeros proves nothing."""
    assert all(math.isnan(np.sum(c.expected)) or np.any(c.expected) for c in CASES)
