"""Traces: what they record, and that their files come back whole or are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sim_programs import run_text

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.table import BY_NAME
from zhisuan.sim.trace import COST_CLASSES, Launch, Trace, TraceBuilder

PROGRAM = """
        SLOAD $1, #0x1000000
        SLOAD $2, #-5
        SMUL.i64 $2, $2, #-4
        VSET.f16 $1, $2, $3
        SYNC #1
        SYNC #6
        SGT.i64 $4, $2, #0
        CB #0, $4
        HALT
"""


@pytest.mark.parametrize("executor", ["reference", "native"])
def test_rows_of_a_program(executor: str) -> None:
    _, trace = run_text(PROGRAM, executor=executor)
    sync, vset = BY_NAME["SYNC"].opcode, BY_NAME["VSET"].opcode
    assert trace.opcode.tolist() == [0, vset, sync, sync, 0]
    assert trace.pc.tolist() == [0, 3, 4, 5, 6]
    assert trace.mode.tolist() == [0, BY_NAME["VSET"].modes.index("f16"), 0, 0, 0]
    counts = dict(zip(COST_CLASSES, trace.a[:, 0].tolist(), strict=True))
    assert counts == dict.fromkeys(COST_CLASSES, 0) | {"alu": 2, "multiply": 1}
    assert trace.a[:3, 1].tolist() == [0x1000000, 20, 0]
    assert trace.a[0, 2:4].tolist() == [1, 6]
    counts = dict(zip(COST_CLASSES, trace.a[:, 4].tolist(), strict=True))
    assert counts == dict.fromkeys(COST_CLASSES, 0) | {"alu": 1, "branch": 2}
    assert trace.launches == (Launch("test", "test", "main", 0),)


def test_negative_operands_are_signed() -> None:
    _, trace = run_text("SLOAD $1, #-1\nVSET.i8 $2, $3, $1\nHALT")
    assert trace.a[2, 1] == -1


def test_many_rows() -> None:
    """More rows than the native interpreter hands over at a time."""
    loop = "SLOAD $1, #3000\nSSUB.i64 $1, $1, #1\nSYNC #7\nSGT.i64 $2, $1, #0\nCB #-4, $2\nHALT"
    _, native = run_text(loop, limit=100_000)
    _, reference = run_text(loop, executor="reference", limit=100_000)
    assert native.to_bytes() == reference.to_bytes()
    assert len(native) == 6001


def test_file_reads_back_and_is_the_same_every_time(tmp_path: Path) -> None:
    _, trace = run_text(PROGRAM)
    trace.save(tmp_path / "a.trace")
    again = Trace.load(tmp_path / "a.trace")
    assert again.launches == trace.launches
    for column in ("launch", "pc", "opcode", "mode", "a"):
        assert np.array_equal(getattr(again, column), getattr(trace, column))
    _, trace = run_text(PROGRAM, executor="reference")
    assert trace.to_bytes() == (tmp_path / "a.trace").read_bytes()


def test_empty_trace(tmp_path: Path) -> None:
    TraceBuilder().build().save(tmp_path / "a.trace")
    assert len(Trace.load(tmp_path / "a.trace")) == 0


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    _, trace = run_text(PROGRAM)
    raw = trace.to_bytes()
    path = tmp_path / "a.trace"
    for damaged in (b"", raw[: len(raw) // 2], raw[:-30], b"text " * 100, raw[:200] + raw[300:]):
        path.write_bytes(damaged)
        with pytest.raises(ZhisuanError, match="not a trace, or a damaged one"):
            Trace.load(path)


def test_every_flipped_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    _, trace = run_text(PROGRAM)
    raw = trace.to_bytes()
    path = tmp_path / "a.trace"
    for position in range(0, len(raw), 7):
        path.write_bytes(raw[:position] + bytes([raw[position] ^ 0x55]) + raw[position + 1 :])
        try:
            again = Trace.load(path)
        except ZhisuanError:
            continue
        assert np.array_equal(again.a, trace.a)


def test_missing_file_message(tmp_path: Path) -> None:
    with pytest.raises(ZhisuanError) as caught:
        Trace.load(tmp_path / "none.trace")
    assert str(caught.value) == (
        f"error: no trace file '{tmp_path / 'none.trace'}'\n  found:    no such file"
    )
