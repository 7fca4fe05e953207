"""Arrays that programs name: where they come from, and what is said about accesses beside them."""

from __future__ import annotations

from textwrap import dedent

import pytest
from sim_programs import ROUND, memory_for, program_of

from zhisuan import bcl
from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import NRAM
from zhisuan.isa.program import Array, Program
from zhisuan.sim.checks.journal import Journal
from zhisuan.sim.checks.run import Report, check
from zhisuan.sim.execute import execute
from zhisuan.sim.trace import TraceBuilder


def report_on(program: Program, kernel: str = "main") -> Report:
    """What memcheck says about a launch without arguments on ROUND."""
    journal, builder = Journal(), TraceBuilder()
    execute(program, kernel, [], memory_for(ROUND), builder, label="launch", journal=journal)
    trace = builder.build()
    return check(trace, {program.name: program}, [journal], None, ["memcheck"], machine=ROUND)


def said(text: str) -> list[str]:
    return [finding.what for finding in report_on(program_of(text)).findings]


def test_a_run_over_the_end_is_told_in_full() -> None:
    source = """
    __nram__ float tile[64];
    __nram__ float next[64];

    __mlu_entry__ void k() {
      __bang_write_value(next, 64, 0.0f);
      __bang_write_value(tile, 67, 1.0f);
    }
    """
    program = bcl.compile(dedent(source).lstrip(), "scale.bcl").program
    assert program.arrays[0] == Array("tile", NRAM.base, 256, 0, 1)
    (finding,) = report_on(program, "k").findings
    assert str(finding) == (
        "memcheck: write past the end of 'tile'\n"
        f"  where:    kernel 'k', scale.bcl:6, {str(finding.party)[13:]}\n"
        "  found:    write of 268 bytes at 0x01000000 (nram) by the compute queue\n"
        "  expected: within 'tile', 256 bytes from 0x01000000 up to 0x01000100, "
        "declared at scale.bcl:1\n"
        "  launch:   launch\n"
        "  try:      12 bytes fewer: is the last tile a short one?"
    )


FILL = "SLOAD $2, #{count}\nVSET.f16 $1, $2, $3\nHALT"


@pytest.mark.parametrize(
    ("arrays", "start", "count", "what"),
    [
        (".array a nram=0 bytes=128", 0, 64, []),
        (".array a nram=0 bytes=128", 0, 65, ["write past the end of 'a'"]),
        (".array a nram=0 bytes=128", 128, 64, ["write outside every array"]),
        (".array a nram=128 bytes=128", 64, 64, ["write outside every array"]),
        (".array a nram=0 bytes=64\n.array b nram=64 bytes=64", 0, 64,
         ["write past the end of 'a'"]),
        (".array a nram=0 bytes=64\n.array rest nram=64", 64, 1000, []),
        (".array a nram=0 bytes=64\n.array rest nram=64", 32, 1000, ["write past the end of 'a'"]),
        (".array w wram=0 bytes=64", 0, 1000, []),
        ("", 0, 1000, []),
    ],
)  # fmt: skip
def test_the_assembler_names_arrays_too(
    arrays: str, start: int, count: int, what: list[str]
) -> None:
    text = f"{arrays}\nSLOAD $1, #{NRAM.base + start}\n{FILL.format(count=count)}"
    assert said(text) == what


def test_scalar_code_has_its_stack_beside_the_arrays() -> None:
    array = ".array a nram=0 bytes=64\n"
    assert said(array + "SSTORE.i64 $1, $63, #-8\nHALT") == []
    below = NRAM.base + ROUND.nram_usable - 8
    assert said(array + f"SLOAD $2, #{below}\nSSTORE.i64 $1, $2, #0\nHALT") == [
        "write outside every array"
    ]


def test_operands_in_neighbouring_arrays_are_told_apart() -> None:
    """IP reads two vectors; that they lie side by side makes them no single access."""
    arrays = ".array a nram=0 bytes=128\n.array b nram=128 bytes=128\n.array c nram=256 bytes=4\n"
    base = NRAM.base
    text = (
        f"SLOAD $1, #{base + 256}\nSLOAD $2, #64\nSLOAD $3, #{base}\nSLOAD $4, #{base + 128}\n"
        "IP.f16.f32 $1, $2, $3, $4\nHALT"
    )
    assert said(arrays + text) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (".array a dram=0 bytes=8", "'dram' has no arrays"),
        (".array a nram=0 bytes=0x1000001", "the array does not fit nram"),
        (".array a nram=0 bytes=65\n.array b nram=64 bytes=8", "arrays 'a' and 'b' overlap"),
        (".array a nram=0 bytes=8 k.bcl", "punctuation is missing"),
    ],
)
def test_wrong_arrays_are_refused(line: str, what: str) -> None:
    with pytest.raises(ZhisuanError) as caught:
        program_of(line + "\nHALT")
    assert caught.value.what == what


def test_a_kernel_too_large_says_what_takes_the_room() -> None:
    source = (
        "__nram__ char small[100];\n__nram__ float large[200000];\n"
        "__mlu_entry__ void k(int n) { small[n] = 1; large[n] = 2; }"
    )
    program = bcl.compile(source, "large.bcl").program
    with pytest.raises(ZhisuanError) as caught:
        execute(program, "k", [1], memory_for(ROUND), TraceBuilder(), label="")
    assert caught.value.found == (
        "800128 bytes of NRAM arrays:\n"
        "800,000 bytes  large  large.bcl:2\n"
        "    100 bytes  small  large.bcl:1"
    )


def test_arrays_for_no_machine_are_refused_when_compiling() -> None:
    source = "__nram__ char a[100], b[1 << 24];\n__mlu_entry__ void k(int n) { a[n] = b[n]; }"
    with pytest.raises(ZhisuanError) as caught:
        bcl.compile(source, "large.bcl")
    assert str(caught.value) == (
        "error: the arrays in nram do not fit any machine\n"
        "  where:    large.bcl:1\n"
        "    __nram__ char a[100], b[1 << 24];\n"
        "  expected: at most 16,777,216 bytes\n"
        "  found:    16,777,344 bytes:\n"
        "            16,777,216 bytes  b\n"
        "            100 bytes  a"
    )
