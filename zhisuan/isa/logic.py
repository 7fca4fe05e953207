"""Comparison, logic and selection, element by element (VFU).

Truth is 1 and falsehood 0 in the element type; as an input every value but 0 is true, NaN
included.  Opcodes 0x260-0x27F.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from zhisuan.isa.number import quiet
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.vector import (
    BOTH,
    MODES,
    Function,
    elementwise,
    pair,
    scalar,
    single,
    types_of,
    vector_cost,
)


def _comparison(name: str, opcode: int, sign: str, function: Function) -> None:
    """Enter `name $dst,$n,$a,$b` and `nameS $dst,$n,$a,$s`."""
    nan = "true" if name == "VNE" else "false"
    doc = f"dst[i] = 1 if a[i] {sign} {{}}, else 0; {nan} on NaN."
    elementwise(name, opcode, "dst n a b", doc.format("b[i]"), pair(function), sources=BOTH,
                modes=MODES)  # fmt: skip
    elementwise(name + "S", opcode + 8, "dst n a s",
                doc.format("s") + " s is in a register, in the element type.",
                scalar(function), modes=MODES)  # fmt: skip


_comparison("VGT", 0x260, ">", np.greater)
_comparison("VGE", 0x261, ">=", np.greater_equal)
_comparison("VLT", 0x262, "<", np.less)
_comparison("VLE", 0x263, "<=", np.less_equal)
_comparison("VE", 0x264, "==", np.equal)
_comparison("VNE", 0x265, "!=", np.not_equal)

elementwise("VAND", 0x270, "dst n a b", "dst[i] = 1 if a[i] and b[i] are both true, else 0.",
            pair(lambda x, y: (x != 0) & (y != 0)), sources=BOTH, modes=MODES)  # fmt: skip
elementwise("VOR", 0x271, "dst n a b", "dst[i] = 1 if a[i] or b[i] is true, else 0.",
            pair(lambda x, y: (x != 0) | (y != 0)), sources=BOTH, modes=MODES)  # fmt: skip
elementwise("VXOR", 0x272, "dst n a b", "dst[i] = 1 if one of a[i] and b[i] is true, else 0.",
            pair(lambda x, y: (x != 0) ^ (y != 0)), sources=BOTH, modes=MODES)  # fmt: skip
elementwise("VNOT", 0x273, "dst n a", "dst[i] = 1 if a[i] is 0, else 0.",
            single(lambda x: x == 0), modes=MODES)  # fmt: skip

BYTES = ("i8",)
elementwise("VBAND", 0x274, "dst n a b", "dst = a and b, bit by bit, over n bytes.",
            pair(np.bitwise_and), sources=BOTH, modes=BYTES)  # fmt: skip
elementwise("VBOR", 0x275, "dst n a b", "dst = a or b, bit by bit, over n bytes.",
            pair(np.bitwise_or), sources=BOTH, modes=BYTES)  # fmt: skip
elementwise("VBXOR", 0x276, "dst n a b", "dst = a xor b, bit by bit, over n bytes.",
            pair(np.bitwise_xor), sources=BOTH, modes=BYTES)  # fmt: skip
elementwise("VBNOT", 0x277, "dst n a", "dst = all bits of a inverted, over n bytes.",
            single(np.invert), modes=BYTES)  # fmt: skip

elementwise("VSEL", 0x278, "dst n mask a b", "dst[i] = a[i] if mask[i] is true, else b[i].",
            lambda core, o, mask, x, y: np.where(mask != 0, x, y), sources=("mask", *BOTH),
            modes=MODES)  # fmt: skip


def _collect_touches(o: Operands) -> tuple[Touch, ...]:
    size = o.n * types_of(o.mode)[0].itemsize
    return Touch(True, o.dst, size), Touch(False, o.a, size), Touch(False, o.mask, size)


@instruction("VCOLLECT", 0x279, Unit.VFU, "dst n a mask", modes=MODES, cycles=vector_cost,
             latency="vector.latency", touches=_collect_touches)  # fmt: skip
def vcollect(core: Core, o: Operands) -> None:
    """The elements a[i] whose mask[i] is true, packed from dst on; the rest of dst stays."""
    kind = types_of(o.mode)[0]
    values = core.read(o.a, kind, o.n)
    mask = core.read(o.mask, kind, o.n)
    core.write(o.dst, quiet(values[mask != 0]))


def _count_touches(o: Operands) -> tuple[Touch, ...]:
    return Touch(True, o.dst, 4 + 0 * o.n), Touch(False, o.a, o.n * types_of(o.mode)[0].itemsize)


@instruction("VCOUNT", 0x27A, Unit.VFU, "dst n a", modes=MODES, cycles=vector_cost,
             latency="vector.latency", touches=_count_touches)  # fmt: skip
def vcount(core: Core, o: Operands) -> None:
    """dst = how many a[i] are true, as an unsigned 32-bit number."""
    values = core.read(o.a, types_of(o.mode)[0], o.n)
    core.write(o.dst, np.array([np.count_nonzero(values)], np.uint32))


def _lookup_touches(o: Operands) -> tuple[Touch, ...]:
    width = types_of(o.mode)[0].itemsize
    return (
        Touch(True, o.dst, o.n * width),
        Touch(False, o.a, o.n * width),
        Touch(False, o.table, o.m * width),
    )


def _lookup_cost(machine: Any, o: Operands) -> Any:
    """max(1, n): the table answers one index a cycle, so"""
    return np.maximum(o.n, 1)


@instruction("VLUT", 0x27B, Unit.VFU, "dst n a table m", modes=("u16", "u32", "u8"),
             cycles=_lookup_cost, latency="vector.latency", touches=_lookup_touches)  # fmt: skip
def vlut(core: Core, o: Operands) -> None:
    """dst[i] = table[a[i]]; the table has m elements as wide as the indices.

    An index of m or more is a fault.
    """
    kind = types_of(o.mode)[0]
    index = core.read(o.a, kind, o.n)
    table = core.read(o.table, kind, o.m)
    if (index >= o.m).any():
        core.trap("an index past the end of the table")
    core.write(o.dst, table[index])
