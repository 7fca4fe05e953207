"""The native core against the reference executor: every row, every mode, every bit."""

from __future__ import annotations

import pytest
from sim_fuzzer import Case, Outcome, case_with, run

from zhisuan.isa.disasm import disassemble
from zhisuan.isa.registry import Instruction
from zhisuan.isa.table import ROWS

SEEDS = range(3)


def assert_same(case: Case, features: tuple[str, ...] | None = None) -> Outcome:
    expected = run(case, "reference")
    found = run(case, "native", features)
    if expected != found:
        parts = [name for name in ("fault", "pc", "registers", "rows", "memory")
                 if getattr(expected, name) != getattr(found, name)]  # fmt: skip
        pytest.fail(
            f"seed {case.seed}: {', '.join(parts)} differ\n"
            f"{expected.fault or expected.registers}\n{found.fault or found.registers}\n"
            f"{disassemble(case.program)}"
        )
    return expected


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_agrees_in_every_mode(row: Instruction) -> None:
    for number, mode in enumerate(row.modes):
        for seed in SEEDS:
            assert_same(case_with(row, mode, seed * 1000 + row.opcode * 64 + number))
