"""Built-ins that reduce, pool, convert, reorder, fill, multiply matrices, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from builtin_cases import Case, calls, check

from zhisuan.isa.matrix import pack_weights
from zhisuan.isa.rounding import rounded_to

RANDOM = np.random.default_rng(6)
H, F, W, S, B = np.float16, np.float32, np.int32, np.int16, np.int8
CASES: list[Case] = []


def draw(kind: type, *shape: int) -> np.ndarray:
    return RANDOM.uniform(-3, 3, shape).astype(kind)


def whole(kind: type, *shape: int, low: int = -9, high: int = 9) -> np.ndarray:
    return RANDOM.integers(low, high, shape).astype(kind)


def enter(call: str, expected: object, *inputs: np.ndarray, tolerance: float = 0,
          in_wram: bool = False) -> None:  # fmt: skip
    CASES.append(Case(call, np.asarray(expected), inputs, tolerance, in_wram))


# ---- reductions
for _kind in (H, F):
    _x = draw(_kind, 320)
    for _name, _find in (("max", np.argmax), ("min", np.argmin), ("argmax", np.argmax),
                         ("argmin", np.argmin)):  # fmt: skip
        _at = int(_find(_x))
        _found = np.zeros(8, np.uint8)
        _found[: _x.itemsize] = _x[_at : _at + 1].view(np.uint8)
        if _kind is H:
            _found[2:4] = np.array([_at], np.uint16).view(np.uint8)
        _found[4:] = np.array([_at], np.uint32).view(np.uint8)
        enter(f"__bang_{_name}(d, a, n)", _found.view(_kind), _x)
    _x = whole(_kind, 320)
    _group = 128 // _x.itemsize
    _sums = np.zeros_like(_x)
    _sums[::_group] = _x.reshape(-1, _group).sum(axis=1)
    enter("__bang_reduce_sum(d, a, n)", _sums, _x)
    enter("d[0] = __bang_sum(a, n)", np.array([_x.sum()], _kind), _x)
    _x = np.zeros(200, _kind)
    _x[[37, 150]] = 2
    for _name, _at in (("findfirst1", 37), ("findlast1", 150)):
        enter(f"__bang_{_name}(d, a, n)", np.array([_at], np.uint32), _x)
        enter(f"d[0] = __bang_{_name}(a, n)", np.array([_at], np.uint32), _x)
    enter("__bang_incseq(d, 70)", np.arange(70).astype(_kind))
enter("__bang_incseq(d, 70)", np.arange(70).astype(W))
enter("short r[64]; __bang_rand(r, 64); __bang_rand(d, 64);"
      "int same = 0; for (int i = 0; i < 64; i++) same += r[i] == d[i];"
      "d[0] = same < 3; d[1] = d[2] != d[3]", np.array([1, 1], S))  # fmt: skip


# ---- pooling
def windows(x: np.ndarray, size: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis=(0, 1))
    view = view[:: stride[0], :: stride[1]]
    return view.reshape(*view.shape[:3], -1)  # [out_h, out_w, channel, place]


for _kind in (H, F):
    _x = whole(_kind, 7, 9, 5)
    _w = windows(_x, (2, 3), (1, 2))
    _wide = _w.astype(F)
    for _name, _result in (("max", _w.max(3)), ("min", _w.min(3)), ("sum", _wide.sum(3)),
                           ("avg", _wide.sum(3) / F(6))):  # fmt: skip
        enter(f"__bang_{_name}pool(d, a, 5, 7, 9, 2, 3, 2, 1)", _result.astype(_kind), _x)
    _place = np.uint16 if _kind is H else np.uint32
    for _name, _find in (("max", np.argmax), ("min", np.argmin)):
        enter(f"__bang_{_name}pool_index(d, a, 5, 7, 9, 2, 3, 2, 1)",
              _find(_w, axis=3).astype(_place), _x)  # fmt: skip
    enter("__bang_maxpool(d, a, 5, 7, 9, 2, 3)", windows(_x, (2, 3), (2, 3)).max(3), _x)
    _grad, _mask = whole(_kind, 6, 4, 5), np.argmax(_w, axis=3).astype(S if _kind is H else W)
    _back, _even = np.zeros_like(_x), np.zeros((7, 9, 5), _kind)
    _spread, _share = np.zeros_like(_x), (_grad * _kind(1 / 6)).astype(_kind)
    for _p in np.ndindex(6, 4, 5):
        _k = int(_mask[_p])
        _back[_p[0] + _k // 3, 2 * _p[1] + _k % 3, _p[2]] += _grad[_p]
    for _p in np.ndindex(6, 4):
        _spread[_p[0] : _p[0] + 2, 2 * _p[1] : 2 * _p[1] + 3] += _share[_p]
    enter("__bang_maxpool_bp(d, a, b, 5, 7, 9, 2, 3, 2, 1)", _back, _grad, _mask)
    enter("__bang_avgpool_bp(d, a, 5, 7, 9, 2, 3, 2, 1)", _spread, _grad)
    _small = whole(_kind, 3, 3, 5)
    for _p in np.ndindex(3, 3):
        _even[2 * _p[0] + 1, 3 * _p[1] + 2] = _small[_p]
    enter("__bang_unpool(d, a, 5, 7, 9, 2, 3, 3, 2, 5)", _even, _small)

# ---- conversion
WAYS = {"": "rn", "_rn": "rn", "_tz": "tz", "_oz": "oz", "_up": "up", "_dn": "dn", "_rd": "rd"}
for _suffix, _way in WAYS.items():
    _x, _y = draw(F, 128), draw(H, 128)
    enter(f"__bang_float2half{_suffix}(d, a, n)", rounded_to(_x, "f16", _way), _x)
    enter(f"__bang_half2short{_suffix}(d, a, n)", rounded_to(_y, "i16", _way), _y)
    _z = np.abs(_y) * H(40)
    enter(f"__bang_half2char{_suffix}(d, a, n)", rounded_to(_y, "i8", _way), _y)
    enter(f"__bang_half2uchar{_suffix}(d, a, n)", rounded_to(_z, "u8", _way), _z)
    enter(f"__bang_float2uchar{_suffix}(d, a, n)", rounded_to(_z, "u8", _way), _z.astype(F))
    enter(f"__bang_float2short{_suffix}(d, a, n)", rounded_to(_x, "i16", _way), _x)
    enter(f"d[0] = __float2half{_suffix}(a[0])", rounded_to(_x, "f16", _way)[:1], _x)
    for _scalar, _to, _from in (("float2int", "i32", _x), ("float2int32", "i32", _x),
                                ("float2short", "i16", _x), ("half2int", "i32", _y),
                                ("half2int32", "i32", _y), ("half2short", "i16", _y)):  # fmt: skip
        enter(f"d[0] = __{_scalar}{_suffix}(a[1])", rounded_to(_from, _to, _way)[1:2], _from)
    for _name, _to in (("int8", "i8"), ("int16", "i16"), ("int32", "i32")):
        for _from, _data in (("float", _x), ("half", _y)):
            enter(
                f"__bang_{_from}2{_name}{_suffix}(d, a, n, 0)", rounded_to(_data, _to, _way), _data
            )
            _scaled = _data.astype(np.float64) * 2.0**5
            enter(f"__bang_{_from}2{_name}{_suffix}(d, a, n, -5)",
                  rounded_to(_scaled, _to, _way), _data)  # fmt: skip
_y = np.abs(draw(H, 128)) * H(50)
enter("__bang_half2uchar_dn(d, a, n)", np.floor(_y).astype(np.uint8), _y)
enter("__bang_half2uchar_dn(d, a, a, n)", np.floor(_y).astype(np.uint8), _y)
enter("__bang_half2char_dn(d, a, n)", np.floor(_y / 2).astype(B), _y / H(2))
enter("__bang_half2float(d, a, n)", _y.astype(F), _y)
enter("__bang_half2float(d, a, 32, 128, 64, 3)", _y.astype(F), _y)
_u = whole(np.uint8, 128, low=0, high=255)
enter("__bang_uchar2half(d, a, n)", _u.astype(H), _u)
for _name, _kind in (("int8", B), ("int16", S), ("int32", W)):
    _x = whole(_kind, 128, low=-100, high=100)
    enter(f"__bang_{_name}2float(d, a, n, -3)", _x.astype(F) / 8, _x)
    enter(f"__bang_{_name}2half(d, a, n, 2)", (_x * 4.0).astype(H), _x)
    enter(f"__bang_{_name}2half(d, a, n, 0)", _x.astype(H), _x)
_x = whole(W, 128, low=-(2**20), high=2**20)
enter("__bang_int322float(d, a, n)", _x.astype(F), _x)
enter("__bang_int322float_rn(d, a, n, 0)", _x.astype(F), _x)
enter("__bang_int322float_rd(d, a, n, 0)", _x.astype(F), _x)
enter("__bang_int322int16(d, a, n, 4, 0)",
      np.clip(np.floor(_x / 16 + 0.5), -(2**15), 2**15 - 1).astype(S), _x)  # fmt: skip
enter("__bang_short2half(d, a, n)", _x.astype(S).astype(H), _x.astype(S))
enter("__bang_short2float(d, a, n)", _x.astype(S).astype(F), _x.astype(S))
enter("__bang_uchar2float(d, a, n)", _u.astype(F), _u)
enter("__bang_char2half(d, a, n)", _u.view(B).astype(H), _u.view(B))
_x = whole(W, 128, low=-300, high=300)
enter("__bang_int322int8(d, a, n, 0, 0)", np.clip(_x, -128, 127).astype(B), _x)
enter("__bang_int162int8(d, a, n)", np.clip(_x, -128, 127).astype(B), _x.astype(S))
enter("__bang_int162int32(d, a, n, 0, 3)", _x * 8, _x.astype(S))
enter("__bang_int82int16(d, a, n)", _u.view(B).astype(S), _u.view(B))
enter("__bang_int82int32(d, a, n, 0, 0)", _u.view(B).astype(W), _u.view(B))
enter("d[0] = __bfloat162float(__float2bfloat16_rn(a[0]))", np.array([1.5], F), np.array([1.5], F))
enter("__bang_fix82half(d, a, n, 1)", (_u.view(B) * 2.0).astype(H), _u.view(B))
_x = draw(F, 128)
_upper = (_x.view(np.uint32) >> 16).astype(np.uint16)
_near = ((_x.view(np.uint32) + 0x7FFF + (_upper & 1)) >> 16).astype(np.uint16)
enter("__bang_bfloat162float(d, (bfloat16_t *)a, n)",
      (_upper.astype(np.uint32) << 16).view(F), _upper)  # fmt: skip
for _name, _bits in (("", _near), ("_rn", _near), ("_tz", _upper)):
    enter(f"__bang_float2bfloat16{_name}((bfloat16_t *)d, a, n)", _bits, _x)
enter("d[0] = __bfloat162float(__float2bfloat16(a[0]))",
      (_near[:1].astype(np.uint32) << 16).view(F), _x)  # fmt: skip
enter("d[0] = __half2float(a[0])", _y[:1].astype(F), _y)

# ---- layout and filling
for _kind in (B, S, F):
    _x = whole(_kind, 6, 10)
    enter("__bang_transpose(d, a, 6, 10)", _x.T.copy(), _x)
    for _name, _turned in (("rotate90", np.rot90(_x, -1)), ("rotate180", np.rot90(_x, 2)),
                           ("rotate270", np.rot90(_x, 1)), ("mirror", _x[:, ::-1])):  # fmt: skip
        enter(f"__bang_{_name}(d, a, 6, 10)", _turned.copy(), _x)
    _x = whole(_kind, 4, 5, 3)
    enter("__bang_pad(d, a, 3, 4, 5, 1, 2)", np.pad(_x, ((1, 1), (2, 2), (0, 0))), _x)
    enter("__bang_pad(d, a, 3, 4, 5, 1, 0, 2, 3)", np.pad(_x, ((1, 0), (2, 3), (0, 0))), _x)
    _x = whole(_kind, 2, 3, 4, 5)
    enter("__bang_reshape_nchw2nhwc(d, a, 2, 4, 5, 3)", _x.transpose(0, 2, 3, 1).copy(), _x)
    enter("__bang_reshape_nhwc2nchw(d, a, 2, 3, 4, 5)", _x.transpose(0, 3, 1, 2).copy(), _x)
    _x = whole(_kind, 70, 3, 2, 5)
    enter("__bang_reshape_filter(d, a, 70, 3, 2, 5)",
          pack_weights(np.ascontiguousarray(_x.reshape(70, -1).T)).view(_kind), _x)  # fmt: skip
    enter("__bang_move(d, a, 70)", _x.view(np.uint8).reshape(-1)[:70].copy(), _x)
    enter(f"__bang_write_value(d, 33, ({ {B: 'signed char', S: 'short', F: 'float'}[_kind]})5)",
          np.full(33, 5, _kind))  # fmt: skip
enter("__bang_write_zero(a, 16); __memcpy(d, a, 48, NRAM2NRAM)",
      np.array([*[0] * 16, *[7] * 8], S), np.full(24, 7, S))  # fmt: skip
enter("__bang_write_value((void *)d, 9, (char)3)", np.full(9, 3, B))
enter("__nramset(d, 2, (half)1, 8, 2, 32, 1)",
      np.tile([1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0], 2).astype(H))  # fmt: skip
enter("__nramset_half(d, 40, 2.5)", np.full(40, 2.5, H))
enter("__nramset_float(d, 40, 2.5)", np.full(40, 2.5, F))
enter("__memset_nram(d, 40, (char)7)", np.full(40, 7, B))
enter("__nramset_async(d, 40, 7); __sync()", np.full(40, 7, W))


# ---- matrices
def convolved(x: np.ndarray, k: np.ndarray, stride: tuple[int, int] = (1, 1),
              dilation: tuple[int, int] = (1, 1)) -> np.ndarray:  # fmt: skip
    """[h, w, ci], [co, kh, kw, ci] → [out_h, out_w, co] in float64."""
    size = [(s - 1) * d + 1 for s, d in zip(k.shape[1:3], dilation, strict=True)]
    view = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), size, axis=(0, 1))
    view = view[:: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
    return np.einsum("yxcij,oijc->yxo", view, k.astype(np.float64))


def packed(k: np.ndarray) -> np.ndarray:
    return pack_weights(np.ascontiguousarray(k.reshape(len(k), -1).T)).view(k.dtype)


_shape = "16, 6, 7, 3, 2, 2, 1, 64"
for _kind, _fix in ((B, -6), (S, -8)):
    _x, _k = whole(_kind, 6, 7, 16), whole(_kind, 64, 3, 2, 16)
    _exact = convolved(_x, _k, (1, 2)) * 2.0**_fix
    for _to in (H, F):
        enter(f"__bang_conv(d, a, w, {_shape}, {_fix})", _exact.astype(_to), _x, packed(_k),
              in_wram=True)  # fmt: skip
    enter(f"__bang_conv(d, a, w, {_shape}, {_fix})", np.rint(_exact).astype(S), _x, packed(_k),
          in_wram=True)  # fmt: skip
    _bias = whole(H, 64)
    enter(f"__bang_conv(d, a, w, b, {_shape}, {_fix})", _exact.astype(H) + _bias, _x, _bias,
          packed(_k), in_wram=True)  # fmt: skip
    _far = convolved(_x, _k, dilation=(2, 3)) * 2.0**_fix
    enter(f"__bang_conv(d, a, w, 16, 6, 7, 3, 2, 1, 1, 64, {_fix}, 3, 2)", _far.astype(F), _x,
          packed(_k), in_wram=True)  # fmt: skip
_x, _k = whole(B, 3, 4, 16), whole(B, 1088, 1, 1, 16)
enter("__bang_conv(d, a, w, 16, 3, 4, 1, 1, 1, 1, 1088, 0)", convolved(_x, _k).astype(F), _x,
      packed(_k), in_wram=True)  # fmt: skip
for _kind, _to in ((F, F), (H, F), (H, H)):
    _x, _k = whole(_kind, 6, 7, 16), whole(_kind, 64, 3, 2, 16)
    enter(f"__bang_conv(d, a, w, {_shape})", convolved(_x, _k, (1, 2)).astype(_to), _x, packed(_k),
          in_wram=True)  # fmt: skip
    _left, _right = whole(_kind, 5, 48), whole(_kind, 70, 48)
    enter("__bang_matmul(d, a, w, 5, 48, 70)", (_left.astype(F) @ _right.T.astype(F)).astype(_to),
          _left, _right, in_wram=True)  # fmt: skip
for _kind in (B, S):
    _left, _right = whole(_kind, 5, 64), whole(_kind, 1100, 64)
    _exact = _left.astype(np.float64) @ _right.T.astype(np.float64)
    enter("__bang_matmul(d, a, w, 5, 64, 1100, -2)", (_exact / 4).astype(F), _left, _right,
          in_wram=True)  # fmt: skip
    _bias, _row, _weight = whole(H, 128), whole(_kind, 64), whole(_kind, 128, 64)
    _exact = _weight.astype(np.float64) @ _row.astype(np.float64) / 8
    enter("__bang_mlp(d, a, b, w, 128, 64, -3)", _exact.astype(H) + _bias, _row, _bias, _weight,
          in_wram=True)  # fmt: skip


@pytest.mark.parametrize("number", range(len(CASES)), ids=calls(CASES))
def test_builtin(number: int) -> None:
    first = number // 60 * 60
    check(CASES[first : first + 60], number - first)
