"""Atomics on GDRAM, and locks: what tasks may do to the same bytes without a barrier between.

An atomic reads elements of GDRAM, changes them and leaves the old ones in NRAM, with nothing in
between.  The order is defined: between two barriers a task's atomics are all done before those of
the next; tasks go in the order in which they came to the last barrier, at first in that of their
cores.  Tasks that may wait for each other's values take turns instead, and their atomics follow
the turns.  Opcodes 0x190-0x197.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zhisuan.isa.address import GDRAM, NRAM
from zhisuan.isa.element import bytes_of, kinds_of, numpy_of
from zhisuan.isa.number import quiet, value_of
from zhisuan.isa.registry import Core, Operands, Touch, Unit, instruction
from zhisuan.isa.vector import larger, smaller

INTEGERS = ("i32", "u32", "i16", "u16")
ALL = (*INTEGERS, "f16", "f32")
Function = Callable[[np.ndarray, np.ndarray], Any]


def _counted_up(old: np.ndarray, last: np.ndarray) -> np.ndarray:
    return np.where(old >= last, 0, old + old.dtype.type(1))


def _counted_down(old: np.ndarray, last: np.ndarray) -> np.ndarray:
    return np.where((old == 0) | (old > last), last, old - old.dtype.type(1))


OPERATIONS: dict[str, tuple[Function, tuple[str, ...]]] = {
    "add": (np.add, ALL),
    "min": (smaller, ALL),
    "max": (larger, ALL),
    "exch": (lambda old, new: new, ALL),
    "and": (np.bitwise_and, INTEGERS),
    "or": (np.bitwise_or, INTEGERS),
    "xor": (np.bitwise_xor, INTEGERS),
    "inc": (_counted_up, INTEGERS),
    "dec": (_counted_down, INTEGERS),
}
"""What becomes of an element and an operand, and the types it is for."""
REDUCTIONS = ("add", "min", "max", "and", "or", "xor")


def modes_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """`add.i32` and so on."""
    return tuple(f"{name}.{kind}" for name in names for kind in OPERATIONS[name][1])


def _changed(mode: str, old: np.ndarray, operand: np.ndarray) -> np.ndarray:
    name = mode.split(".")[0]
    with np.errstate(all="ignore"):
        result = np.asarray(OPERATIONS[name][0](old, operand)).astype(old.dtype)
    return result if name == "exch" else quiet(result)


def _count(o: Operands) -> Any:
    return getattr(o, "n", 1)


def _cycles(machine: Any, o: Operands) -> Any:
    """max(1, ceil(bytes · `clock.hz` / `dram.bytes_per_second`)) to read and again to write, the
    bytes rounded up to `dram.access_bytes`
    """
    size = bytes_of(kinds_of(o.mode)[0], _count(o)) + 0 * o.src
    read = machine.transfer_cycles("read", size, 1 + 0 * size)
    return read + machine.transfer_cycles("write", size, 1 + 0 * size)


def _touches(o: Operands) -> tuple[Touch, ...]:
    size = bytes_of(kinds_of(o.mode)[0], _count(o))
    found = [Touch(True, o.src, size, atomic=True), Touch(False, o.src, size, atomic=True)]
    if hasattr(o, "dst"):
        found.append(Touch(True, o.dst, size))
    if hasattr(o, "a"):
        found.append(Touch(False, o.a, size))
    return tuple(found)


_RULE = "src lies in GDRAM; the old elements go to NRAM at dst."
_MEANINGS = """add wraps or rounds once; of min and max a number beats NaN; exch stores the
operand; inc gives 0 from the operand on, else one more; dec gives the operand from 0 and
above the operand, else one less."""


def _atomic(
    name: str, opcode: int, operands: str, doc: str, modes: tuple[str, ...],
    compute: Callable[[Core, Operands, np.ndarray], np.ndarray],
) -> None:  # fmt: skip
    def meaning(core: Core, o: Operands) -> None:
        kind = numpy_of(kinds_of(o.mode)[0])
        old = core.read(o.src, kind, _count(o))
        core.write(o.src, compute(core, o, old))
        if hasattr(o, "dst"):
            core.write(o.dst, old)

    meaning.__doc__ = doc
    instruction(name, opcode, Unit.IO, operands, modes=modes, cycles=_cycles,
                latency="dram.read_latency", touches=_touches, reads=(GDRAM, NRAM),
                writes=(NRAM, GDRAM), ordered=True)(meaning)  # fmt: skip


def _check_places(core: Core, o: Operands) -> None:
    wrong = o.src in NRAM or getattr(o, "dst", NRAM.base) in GDRAM or getattr(o, "a", 0) in GDRAM
    if wrong and _count(o):
        core.trap("src must lie in GDRAM, and the other operands in NRAM")


def _with_register(core: Core, o: Operands, old: np.ndarray) -> np.ndarray:
    _check_places(core, o)
    kind = kinds_of(o.mode)[0]
    return _changed(o.mode, old, np.array([_register(o.s, kind)], old.dtype))


def _register(bits: int, kind: str) -> Any:
    with np.errstate(all="ignore"):
        return value_of(bits, kind)


def _with_vector(core: Core, o: Operands, old: np.ndarray) -> np.ndarray:
    _check_places(core, o)
    return _changed(o.mode, old, core.read(o.a, old.dtype, o.n))


def _compared(core: Core, o: Operands, old: np.ndarray) -> np.ndarray:
    _check_places(core, o)
    bits = np.dtype(f"u{old.dtype.itemsize}")
    mask = (1 << 8 * bits.itemsize) - 1
    found = int(old.view(bits)[0])
    return np.array([o.t & mask if found == o.s & mask else found], bits).view(old.dtype)


_atomic("ATOM", 0x190, "dst src s", f"""dst[0] = src[0], then src[0] = src[0] op s, a register.

{_RULE}  The mode names op and type: {_MEANINGS}""", modes_of(tuple(OPERATIONS)),
        _with_register)  # fmt: skip
_atomic(
    "ATOMV",
    0x191,
    "dst n src a",
    f"""dst[i] = src[i], then src[i] = src[i] op a[i].

{_RULE}  Operations as ATOM's.""",
    modes_of(tuple(OPERATIONS)),
    _with_vector,
)
_atomic(
    "ATOMR",
    0x192,
    "n src a",
    """src[i] = src[i] op a[i]; the old elements go nowhere.

src lies in GDRAM, a in NRAM.  Operations as ATOM's.""",
    modes_of(REDUCTIONS),
    _with_vector,
)
_atomic(
    "ACAS",
    0x193,
    "dst src s t",
    f"""dst[0] = src[0], then src[0] = t if it was s, bit for bit.

{_RULE}  s and t are the low bits of registers.""",
    modes_of(("exch",)),
    _compared,
)


def _lock_cycles(machine: Any, o: Operands) -> Any:
    """1: waiting for the lock itself is not timed;"""
    return 1 + 0 * o.id


@instruction("LOCK", 0x196, Unit.IO, "id", cycles=_lock_cycles, latency="dram.read_latency",
             reads=(), writes=(), ordered=True)  # fmt: skip
def lock(core: Core, o: Operands) -> None:
    """Begin a section that no other task enters with the lock `id`.

    No task's turn ends in it, so that nobody waits; a lock or a barrier inside the section, and a
    task that ends in it, are faults.
    """
    if core.held is not None:
        core.trap("a lock inside a locked section")
    core.held = o.id


@instruction("UNLOCK", 0x197, Unit.IO, "id", cycles=_lock_cycles, latency="dram.write_latency",
             reads=(), writes=(), ordered=True)  # fmt: skip
def unlock(core: Core, o: Operands) -> None:
    """End the section that LOCK of the same `id` began."""
    if core.held != o.id:
        core.trap("an unlock of a lock that is not held")
    core.held = None
