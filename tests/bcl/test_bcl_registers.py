"""Which values are spilled, and what registers hold already: on code written by hand."""

from __future__ import annotations

from zhisuan.bcl.code import DRAM, PRIVATE, Code, CodeBlock, Op, Slot, make
from zhisuan.bcl.pressure import to_spill
from zhisuan.bcl.reuse import reuse
from zhisuan.isa.registry import STACK_POINTER


def store(register: int, slot: int) -> Op:
    return make("SSTORE", "i64", [register, STACK_POINTER], Slot("local", slot), memory=PRIVATE)


def load(register: int, slot: int) -> Op:
    return make("SLOAD", "i64", [register, STACK_POINTER], Slot("local", slot), memory=PRIVATE)


def read(register: int) -> Op:
    return make("SLOAD", "i32", [register, 9], 8, memory=DRAM)


def write(register: int) -> Op:
    return make("SSTORE", "i32", [register, 9], 8, memory=DRAM)


def code(*blocks: tuple[str, list[Op]]) -> Code:
    made = Code("k", True, [CodeBlock(label, ops) for label, ops in blocks])
    made.slots, made.spills = [(8, 8), (8, 8)], {0, 1}
    return made


def text(code: Code) -> list[str]:
    return [str(op) for block in code.blocks for op in block.ops]


def jump(label: str) -> Op:
    return make("JUMP", "", [], label)


def test_a_spilled_value_is_read_where_it_still_is() -> None:
    made = code(("a", [read(1), store(1, 0), read(2), load(3, 0), make("SADD", "i32", [4, 2, 3]),
                       write(4), make("HALT", "", [])]))  # fmt: skip
    reuse(made)
    assert text(made) == [str(op) for op in (
        read(1), read(2), make("SADD", "i32", [4, 2, 1]), write(4), make("HALT", "", [])
    )]  # fmt: skip


def test_a_slot_is_read_where_ways_disagree() -> None:
    made = code(
        ("a", [read(1), store(1, 0), make("CB", "", [1], "b"), jump("c")]),
        ("b", [read(1), jump("c")]),
        ("c", [load(2, 0), write(2), write(1), make("HALT", "", [])]),
    )
    before = text(made)
    reuse(made)
    assert text(made) == before


def test_memory_that_others_reach_is_read_again() -> None:
    made = code(("a", [read(1), write(1), read(2), write(2), make("HALT", "", [])]))
    before = text(made)
    reuse(made)
    assert text(made) == before


def test_a_loop_changes_what_its_registers_hold() -> None:
    made = code(
        ("a", [read(1), store(1, 0), jump("b")]),
        ("b", [load(2, 0), make("SADD#", "i64", [2, 2], 1), store(2, 0), make("CB", "", [2], "b"),
               jump("c")]),
        ("c", [load(3, 0), write(3), make("HALT", "", [])]),
    )  # fmt: skip
    reuse(made)
    found = text(made)
    assert str(load(2, 0)) in found  # the first time from $1, then from $2
    assert str(store(1, 0)) in found and str(store(2, 0)) in found


def test_what_reuse_moved_can_be_followed() -> None:
    last = make("HALT", "", [])
    made = code(("a", [read(1), make("SMOVE", "", [2, 1]), write(2), last]))
    found = reuse(made, is_followed=True)
    assert text(made) == [str(op) for op in (read(1), write(1), last)]
    assert found[last] == {2: 1}


def test_the_cheapest_values_that_make_room_are_spilled() -> None:
    ops = [read(register) for register in range(64, 69)]
    ops += [write(register) for register in range(64, 69)]
    made = code(("a", [*ops, make("HALT", "", [])]))
    cost: dict[int, float] = {64: 9, 65: 1, 66: 9, 67: 2, 68: 9}
    assert sorted(to_spill(made, cost, tuple(range(4)))) == [65, 67]  # $9 takes one as well
    assert to_spill(made, cost, tuple(range(6))) == []
