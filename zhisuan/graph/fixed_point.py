"""Real numbers as 8-bit integers: the position and scale of a tensor, and what rounding does.

    q = round(x · scale / 2^position), held in -128..127        x ≈ q · 2^position / scale

In: magnitudes, float32 arrays.  Out: `Format`s, integers.  The same arithmetic, to the bit, as
the chip's vector instruction VAFFINE; docs/quantization.md has the formulas.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

LARGEST = 127
"""The integer that a tensor's largest magnitude becomes; -128 is left to what lies beyond it."""

POSITIONS = 100
"""Positions lie between minus this and this, so that factors and steps are float32 numbers."""


@dataclass(frozen=True)
class Format:
    """How a tensor's numbers are held as integers; scale is a float32 in 1..2."""

    position: int
    scale: float

    @property
    def factor(self) -> float:
        """What a real number is multiplied by: scale / 2^position."""
        return math.ldexp(self.scale, -self.position)

    @property
    def step(self) -> float:
        """The real number that integer 1 stands for: 2^position / scale."""
        return 1 / self.factor


def format_of(largest: float) -> Format:
    """The format whose integer 127 stands for the magnitude `largest`.

    position = ceil(log2(largest / 127)), scale = max(1, 2^position · 127 / largest).  A
    magnitude of 0, or one too small for any position, has the format of 127.
    """
    if largest < math.ldexp(LARGEST, -POSITIONS):
        return Format(0, 1.0)
    mantissa, exponent = math.frexp(largest / LARGEST)
    position = exponent - 1 if mantissa == 0.5 else exponent
    scale = float(np.float32(math.ldexp(1.0, position) * LARGEST / largest))
    return Format(position, max(1.0, scale))


def to_i8(x: np.ndarray) -> np.ndarray:
    """float32 → nearest integer, ties to even, held in -128..127; NaN gives 0."""
    return np.clip(np.rint(np.nan_to_num(x, nan=0.0)), -128, 127).astype(np.int8)
