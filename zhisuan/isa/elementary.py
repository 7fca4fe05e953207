"""Elementary functions, defined here once: the same bits on every host.

Each is float32 arithmetic in + and × (and exact scaling by powers of two), of sin, cos and gelu
float64, one rounding per operation, in the order written; the native core repeats the same
operations.  Coefficients
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
    y = _exp_near_0(r, n)
    y = np.where(x > EXP_OVERFLOW, F(np.inf), y)
    y = np.where(x < EXP_UNDERFLOW, F(0), y)
    return np.where(np.isnan(x), x, y).astype(F)


def _exp_near_0(r: np.ndarray, n: np.ndarray) -> np.ndarray:
    """e^r · 2^n for small r and whole n."""
    p = np.full_like(r, EXP_COEFFICIENTS[0])
    for c in EXP_COEFFICIENTS[1:]:
        p = p * r + c
    half = np.floor(n * F(0.5)).astype(np.int32)  # two exact scalings reach subnormals
    rest = n.astype(np.int32) - half
    return (p * _power_of_two(half)) * _power_of_two(rest)


LN2 = F(0.6931472)


def exp2(x: np.ndarray | np.float32) -> np.ndarray:
    """2^x, float32: whole powers are exact."""
    x = np.asarray(x, F)
    clipped = np.minimum(np.maximum(x, F(-152)), F(129))
    clipped = np.where(np.isnan(x), F(0), clipped).astype(F)
    n = np.rint(clipped).astype(F)
    return np.where(np.isnan(x), x, _exp_near_0((clipped - n) * LN2, n)).astype(F)


def _power_of_two(n: np.ndarray) -> np.ndarray:
    """2^n as float32 for n in [-126, 127], by its bits."""
    return ((n + 127).astype(np.int32) << 23).view(F)


LOG_COEFFICIENTS = tuple(F(2.0 / k) for k in (13, 11, 9, 7, 5, 3))


def log(x: np.ndarray | np.float32) -> np.ndarray:
    """Natural logarithm, float32: x = m·2^e with m in [√½, √2), atanh series in (m-1)/(m+1)."""
    x = np.asarray(x, F)
    e, near = _log_parts(x)
    return _log_edges(x, e * EXP_LN2_HIGH + (e * EXP_LN2_LOW + near))


def log2(x: np.ndarray | np.float32) -> np.ndarray:
    """Logarithm to the base 2, float32: that of a whole power of 2 is exact."""
    x = np.asarray(x, F)
    e, near = _log_parts(x)
    return _log_edges(x, e + near * EXP_LOG2E)


def _log_parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """e and ln m of x = m·2^e."""
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
    return e, s * z * p + (s + s)


def _log_edges(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """y, a logarithm of x, where x is positive and finite; else what it must be."""
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


D = np.float64
SIN_COEFFICIENTS = tuple(D(1) / D(c) for c in (6227020800, -39916800, 362880, -5040, 120, -6))
COS_COEFFICIENTS = tuple(D(1) / D(c) for c in (479001600, -3628800, 40320, -720, 24, -2))
TWO_OVER_PI = D(0.6366197723675814)
HALF_PI_HIGH = D(1.5707963267341256)
HALF_PI_LOW = D(6.077100506506192e-11)
"""Together π/2; the first has 33 bits, so that its multiples are exact."""
MOST_ANGLE = F(2.0**30)
"""From here on numbers are too coarse for an angle: sine and cosine are NaN."""


def _quadrant(x: np.ndarray, turn: int) -> np.ndarray:
    """sin(x + turn·π/2): float64 Taylor series around the nearest multiple of π/2."""
    x = np.asarray(x, F)
    known = np.abs(x) < MOST_ANGLE
    wide = np.where(known, x, F(0)).astype(D)
    n = np.rint(wide * TWO_OVER_PI)
    r = (wide - n * HALF_PI_HIGH) - n * HALF_PI_LOW
    z = r * r
    s, c = np.full_like(z, SIN_COEFFICIENTS[0]), np.full_like(z, COS_COEFFICIENTS[0])
    for a, b in zip(SIN_COEFFICIENTS[1:], COS_COEFFICIENTS[1:], strict=True):
        s, c = s * z + a, c * z + b
    quarter = n.astype(np.int64) + turn
    y = np.where(quarter & 1, D(1) + z * c, r + r * z * s)
    y = np.where(quarter & 2, -y, y)
    return np.where(known, y, D(np.nan)).astype(F)


def sin(x: np.ndarray) -> np.ndarray:
    """Sine of an angle in radians; the sign of zero is kept."""
    x = np.asarray(x, F)
    return np.where(x == F(0), x, _quadrant(x, 0)).astype(F)


def cos(x: np.ndarray) -> np.ndarray:
    """Cosine of an angle in radians."""
    return _quadrant(x, 1)


TAIL_COEFFICIENTS = tuple(D(c) for c in (
    0.018805087841031184, -0.1600501523908333, 0.5190731115734527, -0.795834725769214,
    0.5315977501092969, -0.16153464010301602, 0.24938868156690072, 0.23283279345850366,
    0.2837265694062237, 0.28199307399461404, 2.411393812351559e-06,
))  # fmt: skip
"""erfc(z)·e^z² as a polynomial in 1 / (1 + z/2), fitted to a relative error of 9e-8."""
TAIL_STEP = D(0.3535533905932738)
MOST_TAIL = D(20)


def gelu(x: np.ndarray) -> np.ndarray:
    """x·Φ(x), Φ the normal distribution, by its tail Φ(-|x|) = ½·erfc(|x|/√2), in float64."""
    x = np.asarray(x, F)
    magnitude = np.minimum(np.abs(x).astype(D), MOST_TAIL)
    magnitude = np.where(np.isnan(x), D(0), magnitude)
    w = magnitude * magnitude * D(0.5)
    near = w.astype(F)
    e = exp(-near).astype(D) * (D(1) - (w - near.astype(D)))
    t = D(1) / (D(1) + magnitude * TAIL_STEP)
    q = np.full_like(t, TAIL_COEFFICIENTS[0])
    for c in TAIL_COEFFICIENTS[1:]:
        q = q * t + c
    tail = D(0.5) * q * e
    wide = np.where(x >= F(0), x, -magnitude.astype(F)).astype(D)
    y = wide * np.where(x >= F(0), D(1) - tail, tail)
    return np.where(np.isnan(x), x, y).astype(F)


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
