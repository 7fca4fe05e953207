"""A debug table ↔ `.dlps` text ↔ `.dlp` bytes, for random tables; mistakes in the text."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa import debug_table as d
from zhisuan.isa.asm import assemble
from zhisuan.isa.disasm import disassemble
from zhisuan.isa.program import Program

NAMES = st.text('ab?_.1- "\\/é\n:#$(<', max_size=6)
BYTES, SIGNED = st.integers(0, 1 << 20), st.integers(-(1 << 40), 1 << 40)
PLACES = st.one_of(st.just(d.NOWHERE), st.tuples(st.integers(0, 1), st.integers(0, 999)))
COUNT = 40
"""Words of the program."""


def listed(part: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(part, max_size=most).map(tuple)


SIMPLE: st.SearchStrategy[d.Location] = st.one_of(
    st.builds(d.Register, st.integers(0, 63)),
    st.builds(d.Stack, SIGNED),
    st.builds(d.Memory, st.integers(0, (1 << 64) - 1)),
    st.builds(d.Constant, st.integers(0, (1 << 128) - 1)),
)
STEPS = st.tuples(st.sampled_from(d.STEPS), SIGNED)
LOCATIONS: st.SearchStrategy[d.Location] = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(d.Load, inner, SIGNED),
        st.builds(d.Address, inner),
        st.builds(d.Computed, inner, st.lists(STEPS, min_size=1, max_size=3).map(tuple)),
        st.builds(d.Pieces, listed(st.tuples(BYTES, BYTES, inner))),
    ),
    max_leaves=4,
)
TYPES = 8
INDEX = st.integers(d.VOID, TYPES - 1)
KINDS = st.sampled_from(sorted(d.SCALAR_BYTES))
MEMBERS = st.one_of(
    st.builds(d.Member, NAMES, INDEX, BYTES),
    st.builds(d.Member, NAMES, INDEX, BYTES, st.integers(1, 8), st.integers(0, 7)),
)


def types(number: int) -> st.SearchStrategy[d.Type]:
    """A type that may stand at `number`: only structs refer forward."""
    known = st.integers(d.VOID, number - 1)
    words = st.sampled_from(["struct", "class", "union"])
    return st.one_of(
        st.builds(d.Scalar, NAMES, KINDS),
        st.builds(d.Pointer, known, st.booleans()),
        st.builds(d.Array, known, listed(BYTES)),
        st.builds(d.Struct, words, NAMES, BYTES, listed(MEMBERS)),
        st.builds(d.Enum, NAMES, KINDS, listed(st.tuples(NAMES, SIGNED))),
        st.builds(d.Alias, NAMES, known),
        st.builds(d.Qualified, st.sampled_from(["const", "volatile"]), known),
        st.builds(d.Opaque, NAMES, BYTES),
    )


WORDS = st.integers(0, COUNT)
VARIABLES = st.builds(
    d.Variable,
    NAMES,
    INDEX,
    PLACES,
    st.integers(0, 3),
    listed(st.builds(d.Range, WORDS, WORDS, LOCATIONS), 2),
)


def scopes(inner: st.SearchStrategy[d.Scope]) -> st.SearchStrategy[d.Scope]:
    """Blocks and inlined functions."""
    ranges, variables = listed(st.tuples(WORDS, WORDS), 2), listed(VARIABLES, 2)
    names = NAMES.filter(bool)
    return st.one_of(
        st.builds(d.Scope, PLACES, ranges, st.just(""), st.just(d.NOWHERE), variables,
                  listed(inner, 2)),
        st.builds(d.Scope, PLACES, ranges, names, PLACES, variables, listed(inner, 2)),
    )  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> d.DebugTable:
    made = draw(st.tuples(*map(types, range(TYPES))))
    scope = st.recursive(st.builds(d.Scope, PLACES), scopes, max_leaves=4)
    saved = listed(st.tuples(st.integers(0, 63), SIGNED), 2)
    frames = listed(st.builds(d.Frame, WORDS, st.integers(0, 63), SIGNED, saved), 2)
    functions = st.builds(
        d.Function, NAMES, WORDS, WORDS, WORDS, PLACES, st.booleans(),
        scope.map(lambda s: d.Scope(s.place, s.ranges, variables=s.variables, scopes=s.scopes)),
        frames,
    )  # fmt: skip
    return d.DebugTable(made, draw(listed(functions, 2)), draw(listed(VARIABLES, 2)))


def program_with(table: d.DebugTable | None) -> Program:
    words = np.zeros(COUNT, np.uint64)
    return Program("p", words, {}, files=("a.bcl", "b c.bcl"), debug=table)


@given(tables())
@settings(max_examples=80, deadline=None)
def test_a_table_goes_through_text_and_bytes(table: d.DebugTable) -> None:
    program = program_with(table)
    text = disassemble(program)
    assert assemble(text).debug == table, text
    assert Program.from_bytes(program.to_bytes()).debug == table


def test_a_program_without_a_table_is_as_before() -> None:
    raw = program_with(None).to_bytes()
    assert b"debug" not in raw
    assert Program.from_bytes(raw).debug is None
    assert assemble(disassemble(program_with(None))).debug is None


def test_types_are_named_and_sized_as_in_the_source() -> None:
    table = d.DebugTable(
        (
            d.Scalar("float", "f32"),
            d.Qualified("const", 0),
            d.Pointer(1),
            d.Qualified("const", 2),
            d.Array(0, (4, 8)),
            d.Alias("tile", 4),
            d.Pointer(5, is_reference=True),
            d.Pointer(d.VOID),
            d.Array(0, (0,)),
        )
    )
    names = [table.name_of(number) for number in range(len(table.types))]
    assert names == ["float", "const float", "const float*", "const float* const", "float[4][8]",
                     "tile", "tile&", "void*", "float[]"]  # fmt: skip
    assert [table.size_of(n) for n in range(9)] == [4, 4, 8, 8, 128, 128, 8, 8, 0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            ".type scaler int i32",
            """\
            error: 'scaler' is no form of type
              where:    bad.dlps:1:7
                .type scaler int i32
                      ^
              expected: one of scalar, pointer, reference, array, struct, class, union, enum, \
alias, const, volatile, opaque
              try:      did you mean 'scalar'?""",
        ),
        (
            ".variable n 0 ?: 0..4 stock-8",
            """\
            error: this is not a location
              where:    bad.dlps:1:23
                .variable n 0 ?: 0..4 stock-8
                                      ^
              expected: $5, #5, stack+8, @0x100 or one of load, address, computed, pieces
              found:    stock-8""",
        ),
        (
            ".scope 0 ?: 0..4",
            """\
            error: there is nothing that this scope lies in
              where:    bad.dlps:1:8
                .scope 0 ?: 0..4
                       ^
              expected: a depth up to 0 behind a .function
              found:    0""",
        ),
        (
            ".variable n 3 ?:",
            """\
            error: there is no type 3
              where:    bad.dlps
              expected: at most -1""",
        ),
        (
            ".type pointer 1\n.type const 0",
            """\
            error: type 0 is made of itself alone
              where:    bad.dlps
              expected: a struct in between""",
        ),
    ],
)
def test_messages(line: str, message: str) -> None:
    with pytest.raises(ZhisuanError) as caught:
        assemble(line + "\n        HALT", "bad.dlps")
    assert str(caught.value) == textwrap.dedent(message)
