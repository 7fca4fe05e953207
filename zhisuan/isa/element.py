"""Elements of vectors in memory: how many bytes they take, and how they are read and written.

Comes in: the name of a type, an address, a core.  Goes out: NumPy arrays with an element each.
Two 4-bit integers share a byte: element 2k lies in the low half of byte k, element 2k + 1 in its
high half.  A vector of an odd number writes zero to the half that is left over.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.base.dtype import BY_NAME
from zhisuan.isa.registry import Core

BITS = {"i4": 4} | {name: dtype.bits for name, dtype in BY_NAME.items()}
"""Bits of an element of every type that a mode can name."""
_BYTE = np.dtype(np.uint8)


def kinds_of(mode: str) -> tuple[str, str]:
    """Names of the source and destination element types of a mode."""
    names = [part for part in mode.split(".") if part in BITS]
    return names[0], names[-1]


def numpy_of(kind: str) -> np.dtype:
    """What holds an element in an array; an i4 is held by a whole byte."""
    return np.dtype(np.int8) if kind == "i4" else BY_NAME[kind].numpy


def limits_of(kind: str) -> tuple[int, int]:
    """The smallest and the largest number of an integer type."""
    if kind == "i4":
        return -8, 7
    limits = np.iinfo(numpy_of(kind))
    return int(limits.min), int(limits.max)


def bytes_of(kind: str, count: Any) -> Any:
    """Bytes of a vector of `count` elements; ints or int64 arrays."""
    return (count * BITS[kind] + 7) // 8


def unpacked(raw: np.ndarray) -> np.ndarray:
    """uint8[..., n] → int8[..., 2n], the 4-bit integers in order."""
    halves = np.stack([raw & 15, raw >> 4], axis=-1).reshape(*raw.shape[:-1], -1)
    return ((halves ^ 8).astype(np.int8) - np.int8(8)).astype(np.int8)


def packed(values: np.ndarray) -> np.ndarray:
    """int8[n] → uint8[(n + 1) // 2]; of each number the low four bits are kept."""
    halves = np.zeros(len(values) + len(values) % 2, np.uint8)
    halves[: len(values)] = values.astype(np.uint8) & 15
    return halves[0::2] | halves[1::2] << 4


def read(core: Core, address: int, kind: str, count: int) -> np.ndarray:
    """`count` elements at `address`."""
    if kind != "i4":
        return core.read(address, numpy_of(kind), count)
    return unpacked(core.read(address, _BYTE, bytes_of(kind, count)))[:count]


def write(core: Core, address: int, kind: str, values: np.ndarray) -> None:
    """Store elements in order from `address`, converted to the type."""
    values = values.astype(numpy_of(kind))
    core.write(address, packed(values) if kind == "i4" else values)
