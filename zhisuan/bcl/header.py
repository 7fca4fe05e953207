"""The generated header: one function per queued instruction and mode, from the table.

In: the instruction table.  Out: the text of `dlp_instructions.h`, and for every built-in name the
row, mode and ordering that instruction selection emits for it.  Lists nothing itself except the
scalar rows that no C operator reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from zhisuan.bcl import architecture
from zhisuan.isa import rules
from zhisuan.isa.registry import Instruction, Kind, Queue
from zhisuan.isa.table import BY_NAME

WRITTEN = frozenset(("dst",))
POINTERS = WRITTEN | {"src", "a", "b", "c", "seg", "scale", "shift", "weight", "mask", "table"}
SCALAR_ROWS = ("SSQRT", "SEXP", "SLOG", "SGET#", "SYNC", "BARRIER", "TRAP", "HALT", "PRINT")
_FLOATS = {"f16": "_Float16", "f32": "float"}


@dataclass(frozen=True)
class Builtin:
    """What a `__dlp_…` call becomes; `ordered` transfers wait and are waited for."""

    row: Instruction
    mode: str
    ordered: bool


def _spelling(prefix: str, row: Instruction, mode: str) -> str:
    return prefix + row.mnemonic + ("_" + mode.replace(".", "_") if mode else "")


def is_transfer(row: Instruction) -> bool:
    """Whether a row goes to a DMA queue, and so has an unordered form."""
    return row.unit.queue in (Queue.IO, Queue.MOVE)


def _has_builtin(row: Instruction) -> bool:
    """Queued rows with all operands in registers (the compiler has them there), and SCALAR_ROWS."""
    return row.immediate is None if row.is_queued else row.name in SCALAR_ROWS


@cache
def builtins() -> dict[str, Builtin]:
    """Every built-in by its name."""
    found = {}
    for row in BY_NAME.values():
        if not _has_builtin(row):
            continue
        for mode in row.modes:
            found[_spelling("__dlp_", row, mode)] = Builtin(row, mode, not is_transfer(row))
            if is_transfer(row):
                found[_spelling("__dlp_ordered_", row, mode)] = Builtin(row, mode, True)
    return found


def _parameter(name: str, kind: Kind, mode: str, queued: bool) -> str:
    if not queued:
        return f"{_FLOATS.get(mode, 'long long')} {name}"
    if name in WRITTEN:
        return f"void *{name}"
    return f"const void *{name}" if name in POINTERS else f"long long {name}"


def _declaration(name: str, builtin: Builtin) -> str:
    row = builtin.row
    taken = [operand for operand in row.operands if operand.kind is not Kind.DEST]
    parameters = [_parameter(o.name, o.kind, builtin.mode, row.is_queued) for o in taken]
    gives = any(operand.kind is Kind.DEST for operand in row.operands)
    returns = _FLOATS.get(builtin.mode, "long long") if gives else "void"
    return f"__DLP {returns} {name}({', '.join(parameters)});"


def _rule(code: int, words: str) -> tuple[str, str]:
    """The code of a broken rule, and the call that refuses it where it shows at compile time."""
    name = words.replace(" ", "_")
    return f"#define __dlp_rule_{name} {code}", f"__DLP void __dlp_refuse_{name}();"


@cache
def text() -> str:
    """The header; every line says what the manual says of the instruction."""
    lines = [
        "#pragma once",
        *architecture.macros(),
        '#define __DLP extern "C" __attribute__((device))',
    ]
    told = None
    for name, builtin in builtins().items():
        if builtin.row is not told:
            told = builtin.row
            lines += [f"// {line}" for line in told.doc.split("\n")]
        lines.append(_declaration(name, builtin))
    lines += [line for code, rule in rules.TEXTS.items() for line in _rule(code, rule)]
    return "\n".join(lines) + "\n"
