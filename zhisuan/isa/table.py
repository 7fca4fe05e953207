"""The table: every instruction by name and by opcode, proved consistent at import.

The proof is cheap and always on: opcodes unique and in range, operands fit 64 bits, modes fit
6 bits, documentation present, queued instructions costed.
"""

from __future__ import annotations

from zhisuan.isa import (
    atomic,
    bits,
    cluster,
    constant_address,
    convert,
    cyclic,
    functions,
    fusion,
    logic,
    matrix,
    pool,
    printing,
    product,
    reduction,
    scalar,
    transfer,
    vector,
)
from zhisuan.isa.registry import (
    FIELDS,
    MODE_BITS,
    OPCODE_BITS,
    ROWS,
    Instruction,
)

MOST_NUMBERS = 9
"""Operands of an instruction and what it notes: as many as a row of a trace holds."""
CLASSES = (scalar, printing, transfer, cluster, constant_address, atomic, vector, cyclic, functions,
           fusion, convert, logic, bits, reduction, pool, matrix, product)  # fmt: skip
"""Importing a class of instructions enters its rows."""


def _prove(rows: list[Instruction]) -> None:
    seen: dict[int, str] = {}
    names: set[str] = set()
    for row in rows:
        assert 0 < row.opcode < 1 << OPCODE_BITS, f"{row.name}: opcode out of range"
        assert row.opcode not in seen, f"{row.name} and {seen[row.opcode]} share an opcode"
        assert row.name not in names, f"{row.name} is declared twice"
        assert row.doc, f"{row.name} has no documentation"
        assert len(row.registers) <= FIELDS, f"{row.name}: too many registers"
        assert 1 <= len(row.modes) <= 1 << MODE_BITS, f"{row.name}: modes do not fit"
        assert len(set(row.modes)) == len(row.modes), f"{row.name}: a mode twice"
        others = [operand for operand in row.operands if not operand.is_register]
        assert len(others) <= 1, f"{row.name}: two immediates"
        assert not others or row.immediate_bits >= 16, f"{row.name}: immediate too narrow"
        assert len(row.operands) + len(row.noted) <= MOST_NUMBERS, f"{row.name}: too many numbers"
        assert bool(row.cost) != row.is_queued, f"{row.name}: scalar cost and queue"
        assert (row.cycles is not None) == row.is_queued, f"{row.name}: cost missing"
        assert not row.is_queued or row.cycles.__doc__, f"{row.name}: cost not in words"
        seen[row.opcode] = row.name
        names.add(row.name)


_prove(ROWS)

BY_OPCODE: dict[int, Instruction] = {row.opcode: row for row in ROWS}
BY_NAME: dict[str, Instruction] = {row.name: row for row in ROWS}
BY_MNEMONIC: dict[str, list[Instruction]] = {}
for _row in ROWS:
    BY_MNEMONIC.setdefault(_row.mnemonic, []).append(_row)
