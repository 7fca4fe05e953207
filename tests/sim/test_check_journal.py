"""Journals: both executors note the same accesses, and a run with a journal is the same run."""

from __future__ import annotations

import numpy as np
import pytest
from sim_fuzzer import LIMIT, case_with, filled_memory
from sim_programs import ROUND, memory_for, program_of

from zhisuan.isa.address import GDRAM, NRAM
from zhisuan.isa.table import BY_NAME
from zhisuan.sim import native_core, reference
from zhisuan.sim.checks.journal import Journal, Note
from zhisuan.sim.fault import Fault


def test_a_note_says_what_when_and_where() -> None:
    program = program_of(
        """SLOAD $1, #0x1000000
           SLOAD $2, #8
           VSET.f16 $1, $2, $3
           SLOAD.f16 $4, $1, #6
           SYNC #1
           SSTORE.i64 $4, $1, #16
           HALT"""
    )
    for run in (reference.run, native_core.run):
        journal = Journal()
        run(program, 0, [0] * 64, memory_for(ROUND), 100, journal=journal)
        assert journal.notes == [
            Note(2, 3, NRAM.base + 6, 2, False),
            Note(4, 5, NRAM.base + 16, 8, True),
        ]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("name", ["SLOAD", "SSTORE"])
def test_both_executors_keep_the_same_journal(name: str, seed: int) -> None:
    mode = BY_NAME[name].modes[seed % len(BY_NAME[name].modes)]
    case = case_with(BY_NAME[name], mode, seed)
    results = []
    for run, journal in (
        (reference.run, Journal()),
        (native_core.run, Journal()),
        (native_core.run, None),
    ):
        memory, registers = filled_memory(seed), list(case.registers)
        try:
            rows = np.concatenate(run(case.program, 0, registers, memory, LIMIT, journal=journal))
        except Fault as stop:
            outcome: object = (str(stop.error), stop.pc)
        else:
            outcome = (rows.tobytes(), registers, memory.bytes_of(GDRAM).tobytes())
        results.append((outcome, journal.notes if journal else None))
    (by_reference, its_notes), (by_native, notes), (unobserved, _) = results
    assert by_reference == by_native == unobserved
    assert notes == its_notes
