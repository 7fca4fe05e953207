"""Rounding: floats to whole numbers, to integers and to FP16, in six ways.

Comes in: float arrays.  Goes out: arrays of the type asked for.  NaN becomes integer 0, values
out of an integer's range its nearest end; signs of zeros are kept.
"""

from __future__ import annotations

import numpy as np

from zhisuan.isa.element import limits_of, numpy_of

WAYS = ("rn", "tz", "up", "dn", "rd", "oz")
"""To nearest even, toward zero, up, down, to nearest with ties away from zero, away from zero."""
NAMES = ("to nearest even", "toward zero", "up", "down", "to nearest, ties away from zero",
         "away from zero")  # fmt: skip


def whole(x: np.ndarray, way: str) -> np.ndarray:
    """float64 → float64 whole numbers with the sign of x."""
    near = np.rint(x)
    magnitude = np.abs(x)
    result = {
        "rn": near,
        "tz": np.trunc(x),
        "up": np.ceil(x),
        "dn": np.floor(x),
        "rd": np.where(magnitude < 2.0**52, np.floor(magnitude + 0.5), magnitude),
        "oz": np.ceil(magnitude),
    }[way]
    return np.copysign(result, x)


def rounded_to(x: np.ndarray, kind: str, way: str = "rn") -> np.ndarray:
    """Floats or integers → the type called `kind`."""
    to = numpy_of(kind)
    if to.kind != "f":
        value = whole(np.nan_to_num(x.astype(np.float64), nan=0.0), way)
        return np.clip(value, *limits_of(kind)).astype(to)
    near = x.astype(to)
    return near if way == "rn" else _directed(x.astype(np.float64), near, way)


def _directed(x: np.ndarray, near: np.ndarray, way: str) -> np.ndarray:
    """`near`, the nearest number to x of a narrower type, or its neighbour on the side asked."""
    found = near.astype(np.float64)
    outward = np.copysign(np.array(np.inf, near.dtype), near)
    above = np.nextafter(near, near.dtype.type(np.inf))
    below = np.nextafter(near, near.dtype.type(-np.inf))
    inner = np.nextafter(near, np.copysign(near.dtype.type(0), near))
    outer = np.nextafter(near, outward)
    if way == "up":
        return np.where(found < x, above, near)
    if way == "dn":
        return np.where(found > x, below, near)
    if way == "tz":
        return np.where(np.abs(found) > np.abs(x), inner, near)
    if way == "oz":
        return np.where(np.abs(found) < np.abs(x), outer, near)
    missing = np.abs(x) - np.abs(found)
    is_tie = missing == np.abs(outer.astype(np.float64)) - np.abs(x)
    return np.where((missing > 0) & is_tie, outer, near)
