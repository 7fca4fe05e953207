"""The arrays of a program as pieces of the memories of a machine.

Comes in: a program that names its arrays, the machine it runs on.  Goes out: for each memory that
has any, a table of all that may be touched there: the arrays, the arena that takes what they
leave, and the stack; and the same as text, for a program that has no room.
"""

from __future__ import annotations

from collections.abc import Iterator

from zhisuan.arch.machine import Machine
from zhisuan.base.errors import SourcePos
from zhisuan.isa.address import LDRAM, NRAM, SRAM, WRAM, Space
from zhisuan.isa.program import Array, Program
from zhisuan.sim.checks.allocation import Allocation, Table
from zhisuan.sim.memory import LDRAM_BYTES

STACK = "the stack"


def array_tables(program: Program, machine: Machine) -> dict[Space, Table]:
    """What may be touched in each memory whose arrays the program names."""
    return {
        space: Table([*_allocations(program, space, usable), *_stack(space, usable, stack)])
        for space, usable, stack in _memories(machine)
        if any(array.address in space for array in program.arrays)
    }


def contents(program: Program, space: Space) -> str:
    """The arrays of a memory, a line each, the largest first."""
    held = _largest_first(program, space)
    width = max((len(f"{array.size:,}") for array in held), default=0)
    return "\n".join(
        f"{array.size:>{width},} bytes  {array.name}  {program.declared(array)}".rstrip()
        for array in held
    )


def largest_place(program: Program, space: Space) -> SourcePos | None:
    """Where the largest array of a memory is declared, if that is known."""
    held = [array for array in _largest_first(program, space) if array.file >= 0]
    if not held:
        return None
    file, line = held[0].file, held[0].line
    return SourcePos(program.files[file], line, text=program.texts.get((file, line), ""))


def _largest_first(program: Program, space: Space) -> list[Array]:
    held = [array for array in program.arrays if array.address in space]
    return sorted(held, key=lambda array: -array.size)


def _memories(machine: Machine) -> Iterator[tuple[Space, int, int]]:
    """Memory, bytes for arrays, bytes of stack behind them."""
    yield NRAM, machine.nram_usable, machine.nram.stack
    yield WRAM, machine.wram.size, 0
    yield SRAM, machine.sram.size - machine.sram.stack, machine.sram.stack
    yield LDRAM, LDRAM_BYTES, 0


def _allocations(program: Program, space: Space, usable: int) -> Iterator[Allocation]:
    arena: Array | None = None
    for array in program.arrays:
        if array.address in space and array.size:
            declared = program.declared(array)
            yield Allocation(array.name, array.address, array.size, declared=declared)
        elif array.address in space:
            arena = arena or array
    if arena is not None:
        room = space.base + usable - arena.address
        yield Allocation(arena.name, arena.address, room, declared=program.declared(arena))


def _stack(space: Space, usable: int, stack: int) -> list[Allocation]:
    return [Allocation(STACK, space.base + usable, stack)] if stack else []
