"""More functions of one element (VFU): gelu, sine, cosine, powers and logarithms of 2, the sign.

Opcodes 0x2A0-0x2A7.
"""

from __future__ import annotations

import numpy as np

from zhisuan.isa import elementary
from zhisuan.isa.vector import Function, elementwise, in_f32, single


def _sign(x: np.ndarray) -> np.ndarray:
    one = x.dtype.type(1)
    return np.where(x > 0, one, np.where(x < 0, -one, x))


def _enter(name: str, opcode: int, doc: str, function: Function) -> None:
    elementwise(name, opcode, "dst n a", f"dst[i] = {doc}, through float32 (isa.elementary).",
                in_f32(function), cost="transcendental")  # fmt: skip


_enter("VGELU", 0x2A0, "a[i] · Φ(a[i]), Φ the normal distribution", elementary.gelu)
_enter("VSIN", 0x2A1, "sin a[i]", elementary.sin)
_enter("VCOS", 0x2A2, "cos a[i]", elementary.cos)
_enter("VEXP2", 0x2A3, "2^a[i]", elementary.exp2)
_enter("VLOG2", 0x2A4, "the logarithm of a[i] to the base 2", elementary.log2)
elementwise("VSIGN", 0x2A5, "dst n a", "dst[i] = 1, 0 or -1 as a[i] is; of zero and NaN itself.",
            single(_sign))  # fmt: skip
