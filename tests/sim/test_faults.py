"""What a program's mistakes look like, the whole message, from both executors alike."""

from __future__ import annotations

import numpy as np
import pytest
from sim_programs import GDRAM_BYTES, ROUND, memory_for, program_of, run_text

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import GDRAM, WRAM
from zhisuan.sim.execute import execute
from zhisuan.sim.trace import TraceBuilder

EXECUTORS = ("reference", "native")

FAULTS = {
    "null pointer": (
        """SLOAD.i32 $2, $1, #16
           HALT""",
        """error: null pointer
  where:    kernel 'main', test.dlps:1, pc 0: SLOAD.i32 $2, $1, #16
  expected: nram from 0x01000000 or sram from 0x04000000 or param from 0x08000000 or const from \
0x09000000 or ldram from 0x100000000 or gdram from 0x10000000000
  found:    read of 4 bytes at 0x00000010""",
    ),
    "no memory there": (
        """SLOAD $1, #0x500000
           SSTORE.i8 $2, $1, #0
           HALT""",
        """error: the address is in no memory
  where:    kernel 'main', test.dlps:2, pc 1: SSTORE.i8 $2, $1, #0
  expected: nram from 0x01000000 or sram from 0x04000000 or ldram from 0x100000000 or gdram from \
0x10000000000
  found:    write of 1 bytes at 0x00500000""",
    ),
    "scalar load from WRAM": (
        """SLOAD $1, #0x2000000
           SLOAD.f16 $2, $1, #0
           HALT""",
        """error: read of a memory that this instruction cannot reach
  where:    kernel 'main', test.dlps:2, pc 1: SLOAD.f16 $2, $1, #0
  expected: an address in nram or sram or param or const or ldram or gdram
  found:    read of 2 bytes at 0x02000000 (wram)""",
    ),
    "vector past the end": (
        """SLOAD $1, #0x10BFF80
           SLOAD $2, #65
           VABS.f16 $1, $2, $1
           HALT""",
        """error: read past the end of nram
  where:    kernel 'main', test.dlps:3, pc 2: VABS.f16 $1, $2, $1
  expected: 0x01000000 up to 0x010c0000, the 786432 bytes of nram
  found:    read of 130 bytes at 0x010bff80 (nram)""",
    ),
    "vector misaligned": (
        """SLOAD $1, #0x1000002
           SLOAD $2, #4
           VABS.f32 $1, $2, $1
           HALT""",
        """error: misaligned read
  where:    kernel 'main', test.dlps:3, pc 2: VABS.f32 $1, $2, $1
  expected: an address divisible by 4
  found:    read of 16 bytes at 0x01000002 (nram)""",
    ),
    "write of constants": (
        """.const hex 01 02
           SLOAD $1, #0x9000000
           SSTORE.i8 $1, $1, #0
           HALT""",
        """error: write of a memory that this instruction cannot reach
  where:    kernel 'main', test.dlps:3, pc 1: SSTORE.i8 $1, $1, #0
  expected: an address in nram or sram or ldram or gdram
  found:    write of 1 bytes at 0x09000000 (const)""",
    ),
    "no SRAM on one core": (
        """SLOAD $1, #0x4000000
           SLOAD.u8 $1, $1, #0
           HALT""",
        """error: read past the end of sram
  where:    kernel 'main', test.dlps:2, pc 1: SLOAD.u8 $1, $1, #0
  expected: another memory: there are 0 bytes of sram
  found:    read of 1 bytes at 0x04000000 (sram)""",
    ),
    "division by zero": (
        """SDIV.i32 $1, $2, $3
           HALT""",
        """error: integer division by zero
  where:    kernel 'main', test.dlps:1, pc 0: SDIV.i32 $1, $2, $3""",
    ),
    "trap": ("TRAP #1", "error: assertion failed\n  where:    kernel 'main', test.dlps:1, "
             "pc 0: TRAP #1"),
    "left the program": (
        "SADD.i64 $1, $1, $1",
        """error: the program counter left the program
  where:    kernel 'main', test+1, pc 1
  expected: an instruction index from 0 to 0
  found:    1""",
    ),
    "endless loop": (
        "JUMP #-1",
        """error: the kernel does not end
  where:    kernel 'main', test.dlps:1, pc 0: JUMP #-1 // to 0
  expected: HALT within 10000 instructions
  found:    its next 2000 instructions stay in test.dlps:1
  try:      look for a loop that never ends, or raise the limit: ZHISUAN_LIMIT""",
    ),
    "cyclic operand of no length": (
        """SLOAD $1, #0x1000000
           SLOAD $2, #8
           VCADD.f16 $1, $2, $1, $1, $3
           HALT""",
        """error: a cyclic operand of length m = 0
  where:    kernel 'main', test.dlps:3, pc 2: VCADD.f16 $1, $2, $1, $1, $3""",
    ),
    "endless block transfer": (
        """SLOAD $1, #0x1000000
           SLOAD $2, #64
           SLOAD $3, #0x10000
           VMOVE3 $1, $2, $1, $4, $4, $3, $4, $3
           HALT""",
        """error: a block of more than 16777216 segments
  where:    kernel 'main', test.dlps:4, pc 3: VMOVE3 $1, $2, $1, $4, $4, $3, $4, $3""",
    ),
    "no such special register": (
        "SGET $1, #16",
        """error: no such special register
  where:    kernel 'main', test.dlps:1, pc 0: SGET $1, #16
  expected: 0 to 15
  found:    16""",
    ),
}  # fmt: skip


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("name", FAULTS)
def test_fault_message(name: str, executor: str) -> None:
    text, expected = FAULTS[name]
    with pytest.raises(ZhisuanError) as caught:
        run_text(text, executor=executor)
    assert str(caught.value) == expected


def test_unknown_word_is_a_fault() -> None:
    program = program_of("HALT")
    program.words = np.array([0x3FF], np.uint64)
    for executor in EXECUTORS:
        with pytest.raises(ZhisuanError, match=r"word 0x00000000000003ff has no known opcode"):
            execute(program, "main", [], memory_for(ROUND), TraceBuilder(), label="",
                    executor=executor)  # fmt: skip


@pytest.mark.parametrize("executor", EXECUTORS)
def test_block_of_endless_nothing_is_nothing(executor: str) -> None:
    text = "SLOAD $1, #-1\nSLOAD $2, #64\nVMOVE3 $0, $2, $0, $0, $0, $0, $0, $1\nHALT"
    run_text(text, executor=executor)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_faulty_launch_leaves_no_trace(executor: str) -> None:
    builder = TraceBuilder()
    program = program_of("SYNC #7\nTRAP #2")
    with pytest.raises(ZhisuanError, match="abort"):
        execute(program, "main", [], memory_for(ROUND), builder, label="", executor=executor)
    assert len(builder.build()) == 0
    assert builder.build().launches == ()


ARGUMENTS = '.program "p"\n.kernel "k"(ptr x, i8 n, f32 s)\nHALT\n'


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([1, 2], "error: kernel 'k' called with a wrong number of arguments\n"
         "  expected: k(ptr x, i8 n, f32 s)\n  found:    2 arguments"),
        ([1, 128, 1.0], "error: argument 'n' of kernel 'k' does not fit\n"
         "  expected: k(ptr x, i8 n, f32 s)\n  found:    128"),
        ([1.5, 1, 1.0], "error: argument 'x' of kernel 'k' does not fit\n"
         "  expected: k(ptr x, i8 n, f32 s)\n  found:    1.5"),
        ([1, 1, "a"], "error: argument 's' of kernel 'k' does not fit\n"
         "  expected: k(ptr x, i8 n, f32 s)\n  found:    'a'"),
    ],
)  # fmt: skip
def test_arguments_are_checked(args: list[float], message: str) -> None:
    with pytest.raises(ZhisuanError) as caught:
        run_text(ARGUMENTS, args=args)
    assert str(caught.value) == message


def test_kernel_too_large_for_the_machine() -> None:
    with pytest.raises(ZhisuanError) as caught:
        run_text('.program "p"\n.kernel "k"() nram=800000\nHALT\n')
    assert str(caught.value) == (
        "error: kernel 'k' does not fit machine 'round'\n"
        "  expected: at most 786432 bytes of NRAM\n"
        "  found:    800000 bytes of NRAM arrays\n"
        "  try:      smaller arrays, or a machine with more memory on the chip"
    )


def test_unknown_kernel_and_executor() -> None:
    program = program_of("HALT")
    memory, builder = memory_for(ROUND), TraceBuilder()
    with pytest.raises(ZhisuanError, match="has no kernel 'mian'"):
        execute(program, "mian", [], memory, builder, label="")
    with pytest.raises(ZhisuanError, match="no such executor"):
        execute(program, "main", [], memory, builder, label="", executor="fast")


def test_host_accesses_are_checked_too() -> None:
    memory = memory_for(ROUND)
    with pytest.raises(ZhisuanError) as caught:
        memory.write(GDRAM.base + GDRAM_BYTES - 2, np.zeros(1, np.int32))
    assert str(caught.value) == (
        "error: write past the end of gdram\n"
        "  expected: 0x10000000000 up to 0x10000010000, the 65536 bytes of gdram\n"
        "  found:    write of 4 bytes at 0x1000000fffe (gdram)"
    )
    with pytest.raises(ZhisuanError) as caught:
        memory.reserve(GDRAM.base + (1 << 31))
    assert str(caught.value) == (
        "error: the DRAM of machine 'round' is too small\n"
        "  where:    [dram] size of the machine file\n"
        "  expected: at most 1073741824 bytes in use\n"
        "  found:    2147483648 bytes\n"
        "  try:      a smaller picture, or a machine with more DRAM"
    )


def test_memory_grows_and_keeps_its_contents() -> None:
    memory = memory_for(ROUND)
    values = np.arange(100, dtype=np.float32)
    memory.write(GDRAM.base + 40, values)
    memory.reserve(GDRAM.base + 10 * GDRAM_BYTES)
    assert np.array_equal(memory.read(GDRAM.base + 40, np.float32, 100), values)
    assert not memory.read(GDRAM.base + GDRAM_BYTES, np.uint8, 9 * GDRAM_BYTES).any()
    memory.write(WRAM.base, values)
    assert np.array_equal(memory.read(WRAM.base, np.float32, 100), values)
