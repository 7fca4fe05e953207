"""Words ↔ instructions, text ↔ Program ↔ `.dlp` bytes, for random programs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import WRAM
from zhisuan.isa.asm import assemble
from zhisuan.isa.disasm import disassemble, format_instruction
from zhisuan.isa.encoding import Encodable, decode, encode
from zhisuan.isa.number import ALL
from zhisuan.isa.program import Array, Kernel, Parameter, Program
from zhisuan.isa.registry import Kind
from zhisuan.isa.table import BY_NAME, ROWS

NAMES = st.text('ab_.1- "\\/é\n:#$', max_size=6)  # most need quotes
TEXTS = st.text('ab \\"/é\t', max_size=6)
LABELS = st.one_of(st.sampled_from(["loop", "for.body", "end", ".L3", "0"]), NAMES)


@st.composite
def instructions(draw: st.DrawFn, near: bool = False) -> Encodable:
    """Any instruction; near: branches go a few words only, so that some hit the program."""
    row = draw(st.sampled_from(ROWS))
    values = []
    for operand in row.operands:
        if operand.is_register:
            values.append(draw(st.integers(0, 63)))
        else:
            half = 1 << (row.immediate_bits - 1)
            if near and operand.kind is Kind.TARGET:
                half = 8
            values.append(draw(st.integers(-half, half - 1)))
    return Encodable(row, draw(st.sampled_from(row.modes)), tuple(values))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    words = draw(
        st.lists(
            st.one_of(instructions(near=True).map(encode), st.integers(0, (1 << 64) - 1)),
            max_size=12,
        )
    )
    count = len(words)
    files = tuple(draw(st.lists(NAMES, max_size=3, unique=True)))
    lines: list[tuple[int, int]] = []
    if files and count and draw(st.booleans()):
        places = st.tuples(st.integers(0, len(files) - 1), st.integers(0, 3))
        lines = draw(st.lists(st.one_of(places, st.just((-1, 0))), min_size=count, max_size=count))
        lines[draw(st.integers(0, count - 1))] = (0, 1)  # at least one known place
    parameters = st.builds(Parameter, NAMES, st.sampled_from(["ptr", *ALL]))
    sizes = st.integers(0, 1 << 20)
    kernels = st.builds(
        Kernel,
        NAMES,
        st.integers(0, max(count - 1, 0)),
        st.lists(parameters, max_size=3).map(tuple),
        sizes,
        sizes,
    )
    listed = draw(st.lists(kernels, max_size=3 if count else 0))
    names = draw(st.lists(NAMES, max_size=3))
    declared = (0, 3) if files else (-1, 0)
    arrays = [Array(name, WRAM.base + 64 * i, 8 * i, *declared) for i, name in enumerate(names)]
    placed = {place for place in [*lines, *[declared] * len(arrays)] if place[0] >= 0}
    return Program(
        name=draw(NAMES),
        words=np.array(words, np.uint64),
        kernels={kernel.name: kernel for kernel in listed},
        const_data=draw(st.one_of(st.binary(max_size=40), st.integers(0, 99).map(bytes))),
        files=files,
        lines=np.array(lines, np.int32).reshape(-1, 2),
        labels=draw(st.dictionaries(st.integers(0, count), LABELS, max_size=5)),
        arrays=tuple(arrays),
        texts={place: draw(TEXTS) for place in sorted(placed) if draw(st.booleans())},
        columns=np.array(draw(st.sampled_from([[], [7] * count, range(count)])), np.int32),
    )


@given(instructions())
@settings(max_examples=300)
def test_instruction_to_word_and_back(item: Encodable) -> None:
    assert decode(encode(item)) == item


@given(instructions())
@settings(max_examples=300)
def test_instruction_to_text_and_back(item: Encodable) -> None:
    program = assemble(format_instruction(encode(item)))
    assert program.words.tolist() == [encode(item)]


@given(st.integers(0, (1 << 64) - 1))
@settings(max_examples=300)
def test_any_word_decodes_exactly_or_is_an_error(word: int) -> None:
    try:
        item = decode(word)
    except ZhisuanError:
        assert format_instruction(word) == f".word 0x{word:016x}"
    else:
        assert encode(item) == word


@given(programs())
@settings(max_examples=150)
def test_program_to_text_and_back(program: Program) -> None:
    text = disassemble(program)
    again = assemble(text, "elsewhere.dlps")
    assert again.to_bytes() == program.to_bytes(), text
    listing = disassemble(program, words=True, sources={name: ["a", "b"] for name in program.files})
    assert assemble(listing).to_bytes() == program.to_bytes(), listing


@given(programs())
@settings(max_examples=100)
def test_program_to_bytes_and_back(program: Program) -> None:
    raw = program.to_bytes()
    again = Program.from_bytes(raw)
    assert again.to_bytes() == raw
    assert (again.words == program.words).all() and (again.lines == program.lines).all()
    assert (again.kernels, again.labels) == (program.kernels, program.labels)
    assert (again.arrays, again.texts) == (program.arrays, program.texts)


@given(programs(), st.data())
@settings(max_examples=150)
def test_damaged_bytes_are_one_error(program: Program, data: st.DataObject) -> None:
    raw = bytearray(program.to_bytes())
    where = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[where] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del raw[where:]
    with pytest.raises(ZhisuanError, match="not a DLP program, or a damaged one"):
        Program.from_bytes(bytes(raw))


def test_damage_is_explained(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ZhisuanError) as caught:
        Program.from_bytes(b"\x7fELF and more", "a.dlp")
    assert str(caught.value) == (
        "error: not a DLP program, or a damaged one\n"
        "  where:    a.dlp\n"
        "  expected: a file that starts with b'DLP', complete and unchanged\n"
        "  found:    13 bytes starting with b'\\x7fELF and'\n"
        "  try:      write it again with `zhisuan asm` or `--emit`"
    )
    with pytest.raises(ZhisuanError, match="the program cannot be read"):
        Program.load(tmp_path / "none.dlp")


def test_a_listing_in_full() -> None:
    program = Program(
        name="add",
        words=assemble("SLOAD $1, #100\nVAV.f32 $1, $2, $3, $4\nCB #-2, $3\nHALT").words,
        kernels={"add": Kernel("add", 1, (Parameter("dst", "ptr"), Parameter("n", "i64")), 256)},
        const_data=b"\x00\x3c",
        files=("add.bcl",),
        lines=np.array([[0, 2], [0, 3], [0, 3], [-1, 0]], np.int32),
        labels={0: "entry"},
        texts={(0, 3): '  for (;;) x += y;  // "x"'},
        columns=np.array([6, 18, 18, 0], np.int32),
    )
    sources = {"add.bcl": ["", "long n = 100;", "  for (;;) x += y;"]}
    assert disassemble(program, words=True, sources=sources) == (
        ".program add\n"
        ".file add.bcl\n"
        ".const hex 00 3c                                            // +0 .<\n"
        "entry:\n"
        "    .line add.bcl:2                                     // long n = 100;\n"
        "        SLOAD           $1, #100                        // 0: 000000001901009c\n"
        "\n"
        ".kernel add(ptr dst, i64 n) nram=256\n"
        ".L1:\n"
        '    .line add.bcl:3 "  for (;;) x += y;  // \\"x\\""\n'
        "        VAV.f32         $1, $2, $3, $4                  // 1: 0000001030810600\n"
        "        CB              .L1, $3                         // 2: ffffffffff8300b1\n"
        "    .line ?\n"
        "        HALT                                            // 3: 000000000000003f\n"
        ".columns 6 18:2 0\n"
    )
    assert program.quoted(1) == '      for (;;) x += y;  // "x"\n' + " " * 21 + "^"
    assert (program.quoted(0), program.quoted(3), program.quoted(4)) == ("", "", "")


def test_one_instruction_for_messages() -> None:
    back = encode(Encodable(BY_NAME["CB"], "", (-3, 7)))
    assert format_instruction(back) == "CB #-3, $7"
    assert format_instruction(back, pc=9) == "CB #-3, $7  // to 7"
    assert format_instruction(back, 9, {7: "loop"}) == "CB loop, $7"
    assert format_instruction(0) == ".word 0x0000000000000000"
