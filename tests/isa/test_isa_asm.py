"""What the assembler accepts, and the whole text of what it says otherwise."""

from __future__ import annotations

from textwrap import dedent

import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa import asm
from zhisuan.isa.asm import AssemblyErrors, assemble
from zhisuan.isa.disasm import format_instruction
from zhisuan.isa.encoding import decode
from zhisuan.isa.program import Kernel, Parameter
from zhisuan.isa.registry import Instruction, Unit, parse_operands


def shown(text: str) -> list[str]:
    return [format_instruction(word) for word in assemble(text).words]


def complaint(text: str) -> str:
    with pytest.raises(ZhisuanError) as caught:
        assemble(text, "bad.dlps")
    return str(caught.value)


def test_course_program() -> None:
    program = assemble(
        dedent("""\
        // the sum of 0, 4, 8, … below 100
        SLOAD $1,#100
        SLOAD $2,#0
        SADD $3,$2,#4   // comment
        SLT $4,$3,$1
        CB #-3,$4
        HALT
        """),
        "lab/sum.dlps",
    )
    assert [format_instruction(word) for word in program.words] == [
        "SLOAD $1, #100",
        "SLOAD $2, #0",
        "SADD.i64 $3, $2, #4",
        "SLT.i64 $4, $3, $1",
        "CB #-3, $4",
        "HALT",
    ]
    assert program.kernels == {"main": Kernel("main", 0)}
    assert program.name == "sum"
    assert program.place(4) == "lab/sum.dlps:6"


def test_operands_choose_the_form() -> None:
    assert shown("SADD $1,$2,$3") == ["SADD.i64 $1, $2, $3"]
    assert shown("SADD $1,$2,#0x10") == ["SADD.i64 $1, $2, #16"]
    assert shown("SLOAD $1,#-0x10") == ["SLOAD $1, #-16"]
    assert shown("SLOAD.f16 $1,$2,#2") == ["SLOAD.f16 $1, $2, #2"]
    assert shown("SLOAD $1,#f32:1.5") == ["SLOAD $1, #0x3fc00000"]
    assert shown("SLOAD $1,#f16:-2") == ["SLOAD $1, #49152"]


def test_labels() -> None:
    program = assemble("JUMP .out\nbody: loop: SMOVE $1, $2\nJUMP loop\n.out: SLOAD $1, #.out")
    targets = [decode(int(word)).values[-1] for word in program.words]
    assert targets == [2, 2, -2, 3]
    assert program.labels == {1: "loop"}  # one name a word; local labels are not kept


def test_directives() -> None:
    program = assemble(
        dedent("""\
        .program "two words"
        .file b.bcl
        .const f16 1, -2.5
        .const i32 1, -1
        .const text "hé"
        .const zero 3
        .const hex 00 ff
        .line "a b.bcl":7
        .kernel add(ptr dst, i64 n) nram=0x100 wram=64
        HALT
        .line ?
        .kernel second()
        .word 0x3f
        """)
    )
    assert program.name == "two words"
    assert program.files == ("b.bcl", "a b.bcl")
    assert program.const_data == (
        b"\x00\x3c\x00\xc1" + b"\x01\0\0\0\xff\xff\xff\xff" + "hé".encode() + bytes(3) + b"\x00\xff"
    )
    assert program.lines.tolist() == [[1, 7], [-1, 0]]
    assert program.kernels == {
        "add": Kernel("add", 0, (Parameter("dst", "ptr"), Parameter("n", "i64")), 256, 64),
        "second": Kernel("second", 1),
    }
    assert program.words.tolist() == [0x3F, 0x3F]


def test_a_complete_text_gets_nothing_added() -> None:
    program = assemble(".program p\nHALT")
    assert program.kernels == {}
    assert program.place(0) == "p+0"


@pytest.fixture
def float_row(monkeypatch: pytest.MonkeyPatch) -> Instruction:
    """A row with an FP16 immediate, as no instruction has yet."""
    row = Instruction(
        name="XADD#", mnemonic="XADD", opcode=0x3FF, unit=Unit.SCALAR,
        operands=parse_operands("d:d a #f:imm"), modes=("",), doc="d = a + imm.",
        meaning=lambda core, o: None, cost="alu", cycles=None, latency="",
        touches=lambda o: (), reads=(), writes=(),
    )  # fmt: skip
    monkeypatch.setitem(asm.BY_MNEMONIC, "XADD", [row])
    monkeypatch.setitem(decode.__globals__["BY_OPCODE"], row.opcode, row)
    return row


@pytest.mark.parametrize(
    ("written", "printed"),
    [("1.5", "1.5"), ("-0.0", "-0.0"), ("3", "3.0"), ("1e-3", None), ("0x7c00", "0x7c00"),
     ("0x3c00", "1.0"), ("65504", "65504.0"), ("6.103515625e-05", "6.103515625e-05")],
)  # fmt: skip
def test_float_immediates(float_row: Instruction, written: str, printed: str | None) -> None:
    if printed is None:
        assert complaint(f"XADD $1, $2, #{written}") == dedent("""\
            error: 1e-3 is not exact in FP16, the format of float immediates
              where:    bad.dlps:1:14
                XADD $1, $2, #1e-3
                             ^
              expected: a number FP16 holds, such as #0.0010004043579101562
              try:      load it into a register: SLOAD $d, #f32:1e-3""")
    else:
        (word,) = assemble(f"XADD $1, $2, #{written}").words
        assert format_instruction(word) == f"XADD $1, $2, #{printed}"
        assert assemble(format_instruction(word)).words.tolist() == [word]


WHOLE_MESSAGES = [
    (
        "SADDD $1, $2, #4",
        """\
        error: unknown instruction 'SADDD'
          where:    bad.dlps:1:1
            SADDD $1, $2, #4
            ^
          try:      did you mean 'SADD'?""",
    ),
    (
        "vav $1, $2, $3, $4",
        """\
        error: unknown instruction 'vav'
          where:    bad.dlps:1:1
            vav $1, $2, $3, $4
            ^
          try:      did you mean 'VAV'?""",
    ),
    (
        "SADD $1, $2, loop",
        """\
        error: SADD does not take these operands
          where:    bad.dlps:1:14
            SADD $1, $2, loop
                         ^
          expected: SADD[.mode] $d, $a, $b
                    SADD[.mode] $d, $a, #b
          found:    SADD $1, $2, loop""",
    ),
    (
        "    VAV $1, $2, $3",
        """\
        error: VAV does not take these operands
          where:    bad.dlps:1:5
                VAV $1, $2, $3
                ^
          expected: VAV[.mode] $dst, $n, $a, $b
          found:    VAV $1, $2, $3""",
    ),
    (
        "VAV.f23 $1, $2, $3, $4",
        """\
        error: VAV $dst, $n, $a, $b has no mode '.f23'
          where:    bad.dlps:1:4
            VAV.f23 $1, $2, $3, $4
               ^
          expected: .f16, .f32, .i8, .i16, .i32
          try:      did you mean 'f32'?""",
    ),
    (
        "HALT.i64",
        """\
        error: HALT has no mode '.i64'
          where:    bad.dlps:1:5
            HALT.i64
                ^
          expected: (none)""",
    ),
    (
        "SADD $1, $2, #0x800000000",
        """\
        error: SADD: immediate 'b' does not fit
          where:    bad.dlps:1:14
            SADD $1, $2, #0x800000000
                         ^
          expected: a signed number of 36 bits
          found:    34359738368
          try:      load it into a register with SLOAD (and SHIGH for the upper half)""",
    ),
    (
        "SMOVE $1, $64",
        """\
        error: there is no register $64
          where:    bad.dlps:1:11
            SMOVE $1, $64
                      ^
          expected: $0 to $63""",
    ),
    (
        "lop: JUMP loop",
        """\
        error: label 'loop' is not defined
          where:    bad.dlps:1:11
            lop: JUMP loop
                      ^
          try:      did you mean 'lop'?""",
    ),
    (
        "x: HALT\nx: HALT",
        """\
        error: label 'x' is defined twice
          where:    bad.dlps:2:1
            x: HALT
            ^
          found:    first defined in line 1""",
    ),
    (
        "SMOVE $1 $2",
        """\
        error: punctuation is missing
          where:    bad.dlps:1:10
            SMOVE $1 $2
                     ^
          expected: ','
          found:    $2""",
    ),
    (
        "HALT ; done",
        """\
        error: this character does not belong here
          where:    bad.dlps:1:6
            HALT ; done
                 ^
          found:    ';'
          try:      comments start with //""",
    ),
    (
        ".kernal f()",
        """\
        error: unknown directive '.kernal'
          where:    bad.dlps:1:1
            .kernal f()
            ^
          expected: one of .program, .file, .line, .kernel, .columns, .label, .array, .const, \
.word, .type, .function, .frame, .scope, .variable
          try:      did you mean '.kernel'?""",
    ),
    (
        ".kernel f(ptr x, i46 n)",
        """\
        error: 'i46' is not a kind of parameter
          where:    bad.dlps:1:18
            .kernel f(ptr x, i46 n)
                             ^
          expected: one of ptr, struct, i64, u64, i32, u32, i16, u16, i8, u8, f16, f32
          try:      did you mean 'i64'?""",
    ),
    (
        "HALT\n.kernel f()",
        """\
        error: kernel 'f' has no instructions
          where:    bad.dlps
          found:    it starts at word 1 of 1
          try:      put .kernel before the first instruction""",
    ),
    (
        ".const i8 1, 300",
        """\
        error: this is not a number of type i8
          where:    bad.dlps:1:14
            .const i8 1, 300
                         ^
          found:    300""",
    ),
    (
        ".line a.bcl",
        """\
        error: punctuation is missing
          where:    bad.dlps:1:12
            .line a.bcl
                       ^
          expected: ':'
          found:    end of line""",
    ),
]


@pytest.mark.parametrize(("text", "message"), WHOLE_MESSAGES, ids=lambda text: text[:16])
def test_messages(text: str, message: str) -> None:
    assert complaint(text) == dedent(message)


def test_all_mistakes_at_once() -> None:
    with pytest.raises(AssemblyErrors) as caught:
        assemble("SAD $1\nHALT\nJUMP nowhere\n.wrod 3\n", "bad.dlps")
    assert [error.what for error in caught.value.errors] == [
        "unknown instruction 'SAD'",
        "label 'nowhere' is not defined",
        "unknown directive '.wrod'",
    ]
    assert str(caught.value).endswith("\n\nerror: 3 mistakes in bad.dlps")


def test_at_most_ten_are_shown() -> None:
    text = complaint("NOPE\n" * 12)
    assert text.count("unknown instruction") == 10
    assert text.endswith("error: 12 mistakes in bad.dlps, 2 not shown")
