"""The native core beyond the table: every half, any host, decoding, limits."""

from __future__ import annotations

import platform

import numpy as np
import pytest
from sim_fuzzer import case_with
from sim_programs import ROUND, memory_for, program_of, run_text
from test_native_against_reference import assert_same

from zhisuan.arch.load import load
from zhisuan.isa.address import GDRAM, NRAM
from zhisuan.isa.encoding import decode
from zhisuan.isa.registry import Unit
from zhisuan.isa.table import BY_NAME, ROWS
from zhisuan.sim import native_core, reference
from zhisuan.sim.memory import Memory

OLD_HOST = ("-avx512f", "-avx2", "-fma", "-f16c")
"""A processor without FP16 conversion and fused multiply-add: other code, the same bits."""
HOSTS = [None, OLD_HOST] if platform.machine() == "x86_64" else [None]
ALL_HALVES = 1 << 16


@pytest.mark.skipif(len(HOSTS) == 1, reason="the features to do without are those of x86_64")
@pytest.mark.parametrize("row", [row for row in ROWS if "f16" in "".join(row.modes)],
                         ids=lambda row: row.name)  # fmt: skip
def test_old_host_gives_the_same_bits(row) -> None:  # type: ignore[no-untyped-def]
    for number, mode in enumerate(row.modes):
        if "f" in mode:
            seed = 7 * row.opcode + number
            assert_same(case_with(row, mode, seed), OLD_HOST)


UNARY = [row for row in ROWS if row.unit is Unit.VFU and
         [operand.name for operand in row.operands] == ["dst", "n", "a"]]  # fmt: skip


@pytest.mark.parametrize("features", HOSTS, ids=lambda host: "old host" if host else "this host")
@pytest.mark.parametrize("row", UNARY, ids=lambda row: row.name)
def test_unary_of_every_half_and_of_many_floats(row, features) -> None:  # type: ignore[no-untyped-def]
    machine = load("dlp-s")
    halves = np.arange(ALL_HALVES, dtype=np.uint16)
    floats = np.random.default_rng(1).integers(0, 1 << 32, ALL_HALVES, np.uint32)
    usual = np.random.default_rng(2).normal(0, 30, ALL_HALVES).astype(np.float32)
    inputs = {"f16": [halves], "f32": [floats, usual.view(np.uint32)]}
    for mode in row.modes:
        for values in inputs.get(mode.split(".")[0], [floats]):
            results = []
            for run in ("reference", "native"):
                memory = Memory(machine)
                memory.write(NRAM.base, values)
                text = (f"SLOAD $1, #{NRAM.base + (1 << 18)}\nSLOAD $2, #{ALL_HALVES}\n"
                        f"SLOAD $3, #{NRAM.base}\n{row.name}.{mode} $1, $2, $3\nHALT")  # fmt: skip
                _run(text, memory, run, features)
                results.append(memory.bytes_of(NRAM).copy())
            assert np.array_equal(*results), mode


def _run(text: str, memory: Memory, executor: str, features: tuple[str, ...] | None) -> None:
    program, registers = program_of(text), [0] * 64
    if executor == "native":
        native_core.run(program, 0, registers, memory, 100, features)
    else:
        reference.run(program, 0, registers, memory, 100)


def test_decoding_agrees_with_the_encoding_module() -> None:
    draw = np.random.default_rng(3)
    words = draw.integers(0, 1 << 63, 20_000, np.uint64) << np.uint64(draw.integers(0, 2))
    words &= ~np.uint64(0x300)  # more of them have a known opcode
    opcodes = np.array([row.opcode for row in ROWS], np.uint64)
    words[::2] = words[::2] & ~np.uint64(0xFFFF) | draw.choice(opcodes, len(words[::2]))
    words[::4] &= np.uint64((1 << 34) - 1)  # nothing above three registers
    for word, found in zip(words.tolist(), native_core.decode_words(words), strict=True):
        try:
            item = decode(word)
        except Exception:
            assert found["handler"] == 0
            continue
        row, mode = native_core.HANDLERS[found["handler"] - 1]
        assert (row, mode) == (item.row, item.mode)
        values = iter(found["r"].tolist())
        operands = [next(values) if o.is_register else int(found["imm"]) for o in row.operands]
        assert tuple(operands) == item.values


def test_limit_is_exact() -> None:
    text = "SADD.i64 $1, $1, #1\n" * 9 + "HALT"
    for executor in ("reference", "native"):
        run_text(text, executor=executor, limit=10)
        with pytest.raises(Exception, match="HALT within 9 instructions"):
            run_text(text, executor=executor, limit=9)


def test_long_runs_come_back_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "SLOAD $1, #1000\nSSUB.i64 $1, $1, #1\nSGT.i64 $2, $1, #0\nCB #-3, $2\nSGET $3, #12\nHALT"
    )
    _, whole = run_text(text)
    monkeypatch.setattr(native_core, "_SLICE", 100)
    _, sliced = run_text(text)
    assert whole.to_bytes() == sliced.to_bytes()
    assert whole.a[:, 0].sum() == 3003


def test_two_runs_are_the_same() -> None:
    text = f"SLOAD $1, #{NRAM.base}\nSLOAD $2, #100\nVEXP.f32 $1, $2, $1\nHALT"
    memories, traces = zip(*(run_text(text) for _ in range(2)), strict=True)
    assert np.array_equal(*(memory.bytes_of(NRAM) for memory in memories))
    assert traces[0].to_bytes() == traces[1].to_bytes()


def test_weights_are_unpacked_again_when_wram_changed() -> None:
    """Two CONVs of one pixel and tap, with the weight replaced between them."""
    text = f"""
        SLOAD $1, #{NRAM.base}
        SLOAD $2, #{NRAM.base + 512}
        SLOAD $3, #0x2000000
        SLOAD $4, #64
        SLOAD $5, #0x10001
        SHIGH $5, #0x10001
        SLOAD $6, #1
        SHIGH $6, #1
        SLOAD $7, #0
        MMOVE $3, $4, $1
        CONV.f16.f16 $2, $1, $3, $5, $6, $5, $7
        SADD.i64 $2, $2, #2
        SADD.i64 $8, $1, #128
        MMOVE $3, $4, $8
        CONV.f16.f16 $2, $1, $3, $5, $6, $5, $7
        HALT
    """
    for executor in ("reference", "native"):
        memory = memory_for(ROUND)
        memory.write(NRAM.base, np.full(64, 3, np.float16))
        memory.write(NRAM.base + 128, np.full(64, 5, np.float16))
        # a whole bank line group must lie in WRAM; the rest of it is zero
        run_text(text, memory=memory, executor=executor)
        assert memory.read(NRAM.base + 512, np.float16, 2).tolist() == [9, 15]


def test_transfers_reach_every_pair_of_memories_they_name() -> None:
    """A round trip through all memories brings the bytes back."""
    values = np.arange(256, dtype=np.uint8)
    text = f"""
        SLOAD $1, #0
        SHIGH $1, #{GDRAM.base >> 32}
        SLOAD $2, #0
        SHIGH $2, #1
        SLOAD $3, #{NRAM.base}
        SLOAD $4, #0x2000000
        SLOAD $9, #256
        DMOVE $2, $9, $1
        VLOAD $3, $9, $2
        SADD.i64 $5, $3, #1000
        VMOVE $5, $9, $3
        MMOVE $4, $9, $5
        SADD.i64 $6, $2, #512
        MSTORE $6, $9, $4
        SADD.i64 $7, $4, #4096
        MLOAD $7, $9, $6
        SADD.i64 $8, $1, #1024
        MSTORE $8, $9, $7
        HALT
    """
    memory = memory_for(ROUND)
    memory.write(GDRAM.base, values)
    run_text(text, memory=memory)
    assert np.array_equal(memory.read(GDRAM.base + 1024, np.uint8, 256), values)
    assert BY_NAME["DMOVE"].unit is Unit.IO
