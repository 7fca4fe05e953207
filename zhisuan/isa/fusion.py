"""Two operations in one pass, and extremes that keep NaN (VFU).

Opcodes 0x2A8-0x2AF.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.isa.element import kinds_of
from zhisuan.isa.number import value_of
from zhisuan.isa.registry import Core, Operands
from zhisuan.isa.vector import BOTH, FLOAT_MODES, elementwise, larger, pair, smaller

OPERATIONS = {"a": np.add, "s": np.subtract, "m": np.multiply}
PAIRS = ("ma", "ms", "am", "sm", "aa", "as", "sa", "ss")
"""First and second operation by their letters."""
MODES = tuple(f"{names}.{kind}" for names in PAIRS for kind in FLOAT_MODES)
_DOC = """dst[i] = (a[i] ∘ {}) ∙ c[i]: the mode names both operations, add, subtract or multiply.

    Each rounds.  dst may be any of the sources."""


def _fused(mode: str, x: Any, y: Any, z: Any) -> Any:
    first, second = mode[:2]
    return OPERATIONS[second](OPERATIONS[first](x, y), z)


def _with_register(core: Core, o: Operands, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return _fused(o.mode, x, value_of(o.s, kinds_of(o.mode)[0]), z)


elementwise("VFUSE", 0x2A8, "dst n a b c", _DOC.format("b[i]"),
            lambda core, o, x, y, z: _fused(o.mode, x, y, z), modes=MODES,
            sources=(*BOTH, "c"))  # fmt: skip
elementwise("VFUSES", 0x2A9, "dst n a s c", _DOC.format("s") + "  s is in a register.",
            _with_register, modes=MODES, sources=("a", "c"))  # fmt: skip


def _keeping_nan(x: np.ndarray, y: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(x) | np.isnan(y), x.dtype.type(np.nan), chosen)


elementwise("VNMAX", 0x2AA, "dst n a b", "dst[i] = the larger of a[i] and b[i]; NaN if one is.",
            pair(lambda x, y: _keeping_nan(x, y, larger(x, y))), sources=BOTH)  # fmt: skip
elementwise("VNMIN", 0x2AB, "dst n a b", "dst[i] = the smaller of a[i] and b[i]; NaN if one is.",
            pair(lambda x, y: _keeping_nan(x, y, smaller(x, y))), sources=BOTH)  # fmt: skip
