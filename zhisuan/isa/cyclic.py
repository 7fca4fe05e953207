"""Comparison, logic and extremes with a cyclic operand (VFU): seg[i mod m] for element i.

Truth and NaN are as in comparison and logic without.  Opcodes 0x213-0x21F.
"""

from __future__ import annotations

import numpy as np

from zhisuan.isa.vector import FLOAT_MODES, SEGMENT, Function, cyclic, elementwise, larger, smaller


def _enter(name: str, opcode: int, doc: str, function: Function,
           modes: tuple[str, ...] = FLOAT_MODES) -> None:  # fmt: skip
    elementwise(name, opcode, "dst n a seg m", doc.replace("b[i]", "seg[i mod m]"),
                cyclic(function), segments=SEGMENT, modes=modes)  # fmt: skip


_enter("VCGT", 0x213, "dst[i] = 1 if a[i] > b[i], else 0.", np.greater)
_enter("VCGE", 0x214, "dst[i] = 1 if a[i] >= b[i], else 0.", np.greater_equal)
_enter("VCLT", 0x215, "dst[i] = 1 if a[i] < b[i], else 0.", np.less)
_enter("VCLE", 0x216, "dst[i] = 1 if a[i] <= b[i], else 0.", np.less_equal)
_enter("VCE", 0x217, "dst[i] = 1 if a[i] == b[i], else 0.", np.equal)
_enter("VCNE", 0x218, "dst[i] = 1 if a[i] != b[i], else 0.", np.not_equal)
_enter("VCAND", 0x219, "dst[i] = 1 if a[i] and b[i] are both true, else 0.",
       lambda x, y: (x != 0) & (y != 0))  # fmt: skip
_enter("VCOR", 0x21A, "dst[i] = 1 if a[i] or b[i] is true, else 0.",
       lambda x, y: (x != 0) | (y != 0))  # fmt: skip
_enter("VCXOR", 0x21B, "dst[i] = 1 if one of a[i] and b[i] is true, else 0.",
       lambda x, y: (x != 0) ^ (y != 0))  # fmt: skip
_enter("VCGTM", 0x21C, "dst[i] = the larger of a[i] and b[i]; a number beats NaN.", larger)
_enter("VCLTM", 0x21D, "dst[i] = the smaller of a[i] and b[i]; a number beats NaN.", smaller)
_BYTES = ("and.i8", "or.i8", "xor.i8")
_BITS = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}
elementwise("VCB", 0x21E, "dst n a seg m",
            "dst = a and, or, xor the m bytes of seg over and over, bit by bit, over n bytes.",
            lambda core, o, x: cyclic(_BITS[o.mode.split(".")[0]])(core, o, x),
            segments=SEGMENT, modes=_BYTES)  # fmt: skip
