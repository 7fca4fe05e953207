"""Elementary functions, defined here once: the same bits on every host.

Each is float32 arithmetic in + and × (and exact scaling by powers of two), one rounding per
operation, in the order written; the native core repeats the same operations.  Coefficients
are Taylor/minimax values rounded to float32; errors against exact values are tested.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

F = np.float32

EXP_LOG2E = F(1.44269504)
EXP_LN2_HIGH = F(0.693359375)
EXP_LN2_LOW = F(-2.12194440e-4)
EXP_COEFFICIENTS = tuple(F(c) for c in (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1.0, 1.0))
EXP_OVERFLOW = F(88.72284)
EXP_UNDERFLOW = F(-103.97208)
"""Above the first the result is infinity; below the second it is 0."""


def exp(x: np.ndarray | np.float32) -> np.ndarray:
    """e^x, float32 in and out: x = n·ln 2 + r, a polynomial of degree 7 in r, times 2^n."""
    x = np.asarray(x, F)
    clipped = np.minimum(np.maximum(x, F(-104)), F(89))  # NaN passes through
    clipped = np.where(np.isnan(x), F(0), clipped).astype(F)
    n = np.rint(clipped * EXP_LOG2E).astype(F)
    r = (clipped - n * EXP_LN2_HIGH) - n * EXP_LN2_LOW
    p = np.full_like(r, EXP_COEFFICIENTS[0])
    for c in EXP_COEFFICIENTS[1:]:
        p = p * r + c
    half = np.floor(n * F(0.5)).astype(np.int32)  # two exact scalings reach subnormals
    rest = n.astype(np.int32) - half
    y = (p * _power_of_two(half)) * _power_of_two(rest)
    y = np.where(x > EXP_OVERFLOW, F(np.inf), y)
    y = np.where(x < EXP_UNDERFLOW, F(0), y)
    return np.where(np.isnan(x), x, y).astype(F)


def _power_of_two(n: np.ndarray) -> np.ndarray:
    """2^n as float32 for n in [-126, 127], by its bits."""
    return ((n + 127).astype(np.int32) << 23).view(F)


LOG_COEFFICIENTS = tuple(F(2.0 / k) for k in (13, 11, 9, 7, 5, 3))


def log(x: np.ndarray | np.float32) -> np.ndarray:
    """Natural logarithm, float32: x = m·2^e with m in [√½, √2), atanh series in (m-1)/(m+1)."""
    x = np.asarray(x, F)
    tiny = x < F(1.17549435e-38)
    scaled = np.where(tiny, x * F(8388608.0), x).astype(F)
    bits = scaled.view(np.int32)
    e = ((bits >> 23) - 127).astype(np.int32)
    m = ((bits & 0x7FFFFF) | 0x3F800000).astype(np.int32).view(F)
    large = m > F(1.41421356)
    m = np.where(large, m * F(0.5), m).astype(F)
    e = (e + large.astype(np.int32) - np.where(tiny, 23, 0).astype(np.int32)).astype(F)
    s = (m - F(1)) / (m + F(1))
    z = s * s
    p = np.full_like(z, LOG_COEFFICIENTS[0])
    for c in LOG_COEFFICIENTS[1:]:
        p = p * z + c
    y = e * EXP_LN2_HIGH + (e * EXP_LN2_LOW + (s * z * p + (s + s)))
    y = np.where(x == F(0), F(-np.inf), y)
    y = np.where(np.isposinf(x), F(np.inf), y)
    return np.where(np.isnan(x) | (x < F(0)), F(np.nan), y).astype(F)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x), float32."""
    return (F(1) / (F(1) + exp(-np.asarray(x, F)))).astype(F)


TANH_COEFFICIENTS = tuple(F(c) for c in (-0.0065484014, 0.021276436, -0.053904075, 0.13333087,
                                         -0.33333331))  # fmt: skip
TANH_SMALL = F(0.55)
"""Below it the polynomial, whose error is relative; above it the exponential."""


def tanh(x: np.ndarray) -> np.ndarray:
    """Hyperbolic tangent, float32, odd: x·(1 + z·p(z)) with z = x² near 0, else 1 - 2/(1 + e^2|x|)
    with the sign of x."""
    x = np.asarray(x, F)
    z = x * x
    p = np.full_like(z, TANH_COEFFICIENTS[0])
    for c in TANH_COEFFICIENTS[1:]:
        p = p * z + c
    magnitude = np.abs(x)
    far = np.copysign(F(1) - F(2) / (F(1) + exp(magnitude + magnitude)), x)
    return np.where(magnitude < TANH_SMALL, x * (F(1) + z * p), far).astype(F)


def round_integer(value: int, to: str) -> np.floating:
    """An integer rounded once, to nearest even, to f16 or f32."""
    digits, largest = (24, 127) if to == "f32" else (11, 15)
    dtype = np.float32 if to == "f32" else np.float16
    magnitude = abs(value)
    shift = max(0, magnitude.bit_length() - digits)
    exact = Fraction(magnitude, 1 << shift)
    whole = round(exact)  # Python rounds halves to even
    if (whole << shift).bit_length() > largest + 1:
        return dtype(np.inf) if value > 0 else dtype(-np.inf)
    return dtype(np.float64(whole) * 2.0**shift * (1 if value >= 0 else -1))
