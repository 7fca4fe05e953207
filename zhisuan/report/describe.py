"""What each trace row is, in words: mnemonic, mode and the sizes it works on.

In: trace columns.  Out: a short list of texts and, per row, which one applies.  Sizes are
found through the operands' names in the instruction table; addresses are left out, so that
the many tiles of a layer share a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from zhisuan.isa.matrix import quarter
from zhisuan.isa.registry import Instruction, Queue, Unit
from zhisuan.isa.transfer import high_half, low_half
from zhisuan.sim.trace import SCALAR_RUN, Trace

if TYPE_CHECKING:
    from zhisuan.isa.program import Program

SIZES = ("size", "n", "n1", "m", "geometry", "channels", "queues")
"""Operands that say how much work a row is."""


def describe(trace: Trace) -> tuple[list[str], np.ndarray]:
    """(texts, int32[rows] index into them)."""
    texts: dict[str, int] = {}
    index = np.zeros(len(trace), np.int32)
    scalar = np.flatnonzero(trace.opcode == SCALAR_RUN)
    counts, which = np.unique(trace.a[:, scalar].sum(axis=0), return_inverse=True)
    index[scalar] = _numbered(texts, [_scalar_text(int(n)) for n in counts])[which]
    for row, mode, rows in trace.groups():
        names = [operand.name for operand in row.operands]
        sizes = [i for i, name in enumerate(names) if name in SIZES]
        values, which = np.unique(trace.a[sizes][:, rows], axis=1, return_inverse=True)
        shown = [
            _text(row, mode, dict(zip((names[i] for i in sizes), column, strict=True)))
            for column in values.T.tolist()
        ]
        index[rows] = _numbered(texts, shown)[which.reshape(-1)]
    return list(texts), index


def _numbered(texts: dict[str, int], names: list[str]) -> np.ndarray:
    """The number of each text, new ones entered."""
    return np.array([texts.setdefault(name, len(texts)) for name in names], np.int32)


def _scalar_text(instructions: int) -> str:
    return f"scalar code, {instructions:,} instruction{'s' if instructions != 1 else ''}"


def _text(row: Instruction, mode: str, sizes: Mapping[str, int]) -> str:
    suffix = f".{mode}" if mode else ""
    return f"{row.mnemonic}{suffix} {_sizes(row, sizes)}".strip()


def _sizes(row: Instruction, o: Mapping[str, int]) -> str:
    """The work of one instruction, by the names of its operands."""
    if "geometry" in o:
        out_h, out_w, kernel_h, kernel_w = (quarter(o["geometry"], i) for i in range(4))
        window = f"{out_h}×{out_w} pixels, {kernel_h}×{kernel_w} kernel"
        if "channels" not in o:
            return f"{window}, {o['m']} channels"
        return f"{window}, {low_half(o['channels'])}→{high_half(o['channels'])} channels"
    if row.unit in (Unit.IO, Unit.MOVE):
        if "size" not in o:
            return f"{o['n']:,} elements" if "n" in o else ""
        pieces = o.get("n", 1) * o.get("n1", 1)
        return f"{o['size']:,} B" if pieces == 1 else f"{pieces:,} × {o['size']:,} B"
    if "size" in o:
        shape = f"{low_half(o['size'])}×{high_half(o['size'])}"
        return f"{shape}, {o['m']} channels" if "m" in o else shape
    if "queues" in o:
        return " + ".join(queue.name.lower() for queue in Queue if queue.value & o["queues"])
    if "n" in o:
        return f"{o['n']:,} elements" + (f", cycle of {o['m']:,}" if "m" in o else "")
    return ""


def source_places(trace: Trace, programs: Mapping[str, Program]) -> tuple[list[str], np.ndarray]:
    """(places, int32[rows]): `file:line` per row.

    Place 0 is the empty text, for rows whose program is not among `programs`.
    """
    places: dict[str, int] = {"": 0}
    keys = trace.launch.astype(np.int64) << 32 | trace.pc
    unique, which = np.unique(keys, return_inverse=True)
    found = np.zeros(len(unique), np.int32)
    for i, key in enumerate(unique.tolist()):
        program = programs.get(trace.launches[key >> 32].program)
        if program is not None:
            place = program.place(key & 0xFFFF_FFFF)
            found[i] = places.setdefault(place, len(places))
    return list(places), found[which.reshape(-1)]
