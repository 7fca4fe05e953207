"""The C header of the native core, written from the instruction table.

Comes in: the table, the address map, the constants of elementary functions.  Goes out: the text
of generated.h, and the same structures for Python, so that nothing is written in two languages.
"""

from __future__ import annotations

import ctypes
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from zhisuan.isa import elementary, matrix, reduction, transfer
from zhisuan.isa.address import SPACES, Space
from zhisuan.isa.registry import REGISTERS, ROWS, Instruction, Queue, Unit
from zhisuan.sim.blocks import Blocks
from zhisuan.sim.caches import (
    CACHE,
    COLUMNS,
    COUNTS,
    FETCH,
    FETCH_COUNT,
    LLC_COUNT,
    STALLS,
    TLB,
    TLB_COUNT,
    Sizes,
)
from zhisuan.sim.caches import DRAM as STALL_DRAM
from zhisuan.sim.dram import FRACTION, ROW_HIT, ROW_MISS, TURN, Pace, Progress
from zhisuan.sim.footprint import CODE, DATA, FIELDS, LINE_BITS, STREAMS
from zhisuan.sim.schedule import CAUSES, EVENTS, WAITS, Cause
from zhisuan.sim.tasks import ALONE, INSTRUCTIONS
from zhisuan.sim.trace import ARGUMENTS, COST_CLASSES
from zhisuan.sim.workload import BARRIER_KIND, SCALAR_KIND, SYNC_KIND, TOUCHES


class Status(IntEnum):
    """Why the native interpreter came back."""

    HALTED = 0
    FAULT = 1
    ROWS_FULL = 2
    BARRIER = 3


HANDLERS: tuple[tuple[Instruction, str], ...] = tuple((row, m) for row in ROWS for m in row.modes)
"""(row, mode) of handler i + 1; handler 0 is a word that is no instruction."""

NO_IMMEDIATE = 255
_C_TYPES: dict[str, type] = {
    "u8": ctypes.c_uint8, "i16": ctypes.c_int16, "u16": ctypes.c_uint16, "i32": ctypes.c_int32,
    "i64": ctypes.c_int64, "u64": ctypes.c_uint64,
}  # fmt: skip
Fields = Sequence[tuple[str, str, int]]

ROW: Fields = (
    ("i64", "a", ARGUMENTS), ("i32", "pc", 1), ("i16", "opcode", 1), ("u8", "mode", 1),
    ("u8", "reserved", 1),
)  # fmt: skip
NOTE: Fields = (
    ("i64", "row", 1), ("i64", "address", 1), ("i64", "pc", 1), ("i64", "size", 1),
    ("i64", "writes", 1),
)  # fmt: skip
DECODED: Fields = (("i64", "imm", 1), ("u16", "handler", 1), ("u8", "cost", 1), ("u8", "r", 8))
FOOTPRINT_FIELDS: Fields = tuple(("i64", name, 1) for name in FIELDS)
CORE: Fields = (
    ("u64", "regs", REGISTERS),
    ("i64", "pc", 1),
    ("i64", "executed", 1),
    ("i64", "limit", 1),
    ("i64", "run_first", 1),  # first word of the scalar run in progress
    ("i64", "counts", len(COST_CLASSES)),  # its instructions by cost class
    ("Decoded *", "program", 1),
    ("i64", "words", 1),
    ("Row *", "rows", 1),
    ("i64", "row_count", 1),
    ("i64", "row_capacity", 1),
    ("Note *", "notes", 1),  # for a journal: scalar accesses
    ("i64", "note_count", 1),
    ("i64", "note_capacity", 1),  # 0 without a journal
    ("i64", "notes_row", 1),  # rows before the first of `rows`
    ("u64", "space_base", len(SPACES)),
    ("u64", "space_size", len(SPACES)),
    ("u8 *", "space_data", len(SPACES)),
    ("u64", "special", len(ALONE.special)),
    ("i64", "locked", 1),  # whether in a locked section, and whose
    ("u64", "lock", 1),
    ("void **", "cores", 1),  # Core * of the compute cores of the cluster
    ("i64", "core_count", 1),
    ("void **", "clusters", 1),  # Core * of a core of each cluster of the job
    ("i64", "cluster_count", 1),
    ("u8 *", "nram_copy", 1),  # NRAM before an instruction whose operands overlap
    ("i64", "nram_copied", 1),
    ("float *", "neurons", 1),
    ("i64", "neurons_capacity", 1),  # floats
    ("float *", "weights", 1),
    ("i64", "weights_valid", 1),
    ("i64", "weights_key", 5),
    ("i64", "paced", 1),  # of the unpacked weights: as isa.matrix.weights_noted
    ("i64", "nonzero", 1),
    ("i64", "wram_version", 1),  # counts the transfers into WRAM
    ("i64", "rows_entered", 1),  # by the task
    ("Footprint *", "footprints", 1),
    ("i64", "footprint_count", 1),
    ("i64", "footprint_capacity", 1),
    ("i64", "stretch", 1),  # where straight code was entered
    ("i32 *", "branch_slot", 1),  # of each word: 1 + its place in `branches`, or 0
    ("Footprint *", "branches", 1),  # that the run in progress took
    ("i64", "branch_count", 1),
    ("Footprint", "streams", STREAMS),
    ("i64", "oldest_stream", 1),
)
PROGRESS: Fields = tuple(("i64", field.name, 1) for field in dataclasses.fields(Progress))
DRAM: Fields = (
    *(("i64", field.name, 1) for field in dataclasses.fields(Pace)),
    *(("i64 *", f"block_{field.name}", 1) for field in dataclasses.fields(Blocks)),
    *(("i64 *", name, 1) for name in ("bus", "next_activate", "writing", "written")),  # channels
    *(("i64 *", name, 1) for name in ("open", "may_close")),  # banks
    *(("i64 *", name, 1) for name in ("before", "turn_of")),  # channels in the turn
    ("i64", "turns", 1),
    ("i64", "end", 1),
    ("i64", "held", 1),
    ("i64 *", "events", 1),
)
CACHES: Fields = (
    *(("i64", field.name, 1) for field in dataclasses.fields(Sizes)),
    ("i64", "rows", 1),
    ("i64", "requests", 1),
    *(("i64 *", name, 1) for name in COLUMNS),
    *(("i64 *", name, 1) for name in ("code", "pages", "llc", "current")),  # lines; -1 for none
    *(("i64 *", name, 1) for name in ("stalls", "counts")),
)
WALKER: Fields = (  # a core in the walk
    *(("i64", name, 1) for name in ("number", "place", "row", "first_row", "end_row")),
    *(("i64", name, 1) for name in ("now", "first", "arrived", "unfinished")),
    ("i64", "waited", len(WAITS)),
    *(("i64", name, len(Queue)) for name in ("taken", "issued", "queue_done")),
    *(("i64", name, len(Unit)) for name in ("free", "unit_done", "step")),
    ("i64", "is_served", 1),  # by the DRAM, turn by turn: the first pending IO transfer
    ("Progress", "served", 1),
    ("i64", "links_waited", 1),  # by that transfer
    ("i64", "links_end", 1),
)
REPLAY: Fields = (
    ("i64", "rows", 1),
    ("i64", "launches", 1),
    ("i64", "launch", 1),  # the one being walked
    ("i64", "places", 1),  # cores of the machine
    ("i64", "depth", len(Queue)),  # entries of the compute, IO and move queues
    ("i64", "window", 1),
    ("i64", "overhead", 1),
    ("i64", "resources", 1),
    ("i64", "clusters", 1),
    ("u8 *", "kind", 1),
    *(("i64 *", name, 1) for name in ("decode", "occupancy", "latency", "mask", "meeting")),
    ("i64 *", "stalls", 1),
    *(("i64 *", name, 1) for name in ("low", "high")),
    ("u8 *", "writes", 1),
    *(("i64 *", name, 1) for name in ("share_first", "share_resource", "share_cycles")),
    *(("i64 *", name, 1) for name in ("launch_stretch", "stretch_place", "stretch_first")),
    ("i64 *", "stretch_end", 1),
    *(("i64 *", name, 1) for name in ("queued", "start", "end", "done", "held_by")),
    *(("i64 *", name, 1) for name in ("launch_start", "launch_end", "core_cycles")),
    # working space: what the decoders did for each row, the queues' rows and their starts, the
    # cores' unfinished rows, shared resources, barriers
    *(("i64 *", name, 1) for name in ("busy_until", "decoded", "waited_before", "fifo", "starts")),
    *(("i64 *", name, 1) for name in ("window_rows", "resource_free", "missing", "release")),
    ("Walker *", "walkers", 1),
    ("Dram *", "dram", 1),  # 0 where it has no channels
    ("i64 *", "events", 1),  # of each launch
)


_TEXTS = {
    "Row": ROW, "Note": NOTE, "Decoded": DECODED, "Footprint": FOOTPRINT_FIELDS, "Core": CORE,
    "Progress": PROGRESS, "Dram": DRAM, "Caches": CACHES, "Walker": WALKER, "Replay": REPLAY,
}  # fmt: skip
"""The structures of the header, those that stand in others first."""


def structure(name: str, fields: Fields) -> type[ctypes.Structure]:
    """The ctypes twin of a C structure; pointers are plain addresses."""

    def kind(c_type: str, count: int) -> Any:
        known = {**_C_TYPES, **_STRUCTURES}
        element: Any = ctypes.c_void_p if c_type.endswith("*") else known[c_type]
        return element if count == 1 else element * count

    members = [(field, kind(c_type, count)) for c_type, field, count in fields]
    return type(name, (ctypes.Structure,), {"_fields_": members})


_STRUCTURES: dict[str, Any] = {}
"""Those that stand in others."""
_STRUCTURES["Footprint"] = structure("Footprint", FOOTPRINT_FIELDS)
_STRUCTURES["Progress"] = structure("Progress", PROGRESS)
Dram = structure("Dram", DRAM)
Caches = structure("Caches", CACHES)
Decoded = structure("Decoded", DECODED)
Core = structure("Core", CORE)
Walker = structure("Walker", WALKER)
Replay = structure("Replay", REPLAY)


@dataclass(frozen=True)
class _Column:
    """A table over handlers, the first entry for handler 0."""

    name: str
    values: list[int]

    def text(self) -> str:
        values = ", ".join(str(value) for value in self.values)
        return f"static const u16 {self.name}[] = {{{values}}};"


def header() -> str:
    """The text of generated.h."""
    lines = ["/* Written by sim/native_header.py from the instruction table; not to be edited. */"]
    lines += ["#pragma once", *_handlers(), *_rows(), *_columns(), *_spaces(), *_numbers()]
    for name, fields in _TEXTS.items():
        lines.append(_structure_text(name, fields))
    return "\n".join(lines) + "\n"


def c_name(row: Instruction, mode: str = "") -> str:
    """`SADD#`, `i32` → `SADD_IMM_i32`."""
    name = row.name.replace("#", "_IMM")
    return f"{name}_{mode.replace('.', '_')}" if mode else name


def _handlers() -> Iterator[str]:
    for number, (row, mode) in enumerate(HANDLERS, 1):
        yield f"#define OP_{c_name(row, mode)} {number}"


def _rows() -> Iterator[str]:
    """Where operands are: of a queued row among all its operands, else among the registers."""
    for row in ROWS:
        for position, operand in enumerate(row.operands if row.is_queued else row.registers):
            yield f"#define {c_name(row)}_{operand.name} {position}"
        for position, name in enumerate(row.noted, len(row.operands)):
            yield f"#define {c_name(row)}_{name} {position}"
        yield f"#define READS_{c_name(row)} {_space_mask(row.reads)}"
        yield f"#define WRITES_{c_name(row)} {_space_mask(row.writes)}"


def _columns() -> Iterator[str]:
    rows = [row for row, _ in HANDLERS]
    immediates = [
        row.operands.index(row.immediate) if row.immediate else NO_IMMEDIATE for row in rows
    ]
    yield _Column("OPCODE_OF", [0] + [row.opcode for row in rows]).text()
    yield _Column("MODE_OF", [0] + [row.modes.index(mode) for row, mode in HANDLERS]).text()
    yield _Column("OPERANDS_OF", [0] + [len(row.operands) for row in rows]).text()
    yield _Column("IMMEDIATE_OF", [NO_IMMEDIATE, *immediates]).text()
    yield _Column("UNIT_OF", [0] + [row.unit.value for row in rows]).text()
    yield _Column("IS_QUEUED", [0] + [int(row.is_queued) for row in rows]).text()


def _space_mask(spaces: Sequence[Space]) -> str:
    return f"0x{sum(1 << SPACES.index(space) for space in spaces):x}"


def _spaces() -> Iterator[str]:
    yield f"#define SPACES {len(SPACES)}"
    for number, space in enumerate(SPACES):
        yield f"#define SPACE_{space.name} {number}"
        yield f"#define {space.name.upper()}_BASE 0x{space.base:x}ull"
        yield f"#define {space.name.upper()}_WINDOW 0x{space.window:x}ull"


def _numbers() -> Iterator[str]:
    whole = {
        "COST_CLASSES": len(COST_CLASSES),
        "SPECIALS": len(ALONE.special),
        "SPECIAL_INSTRUCTIONS": INSTRUCTIONS,
        "MOST_SEGMENTS": transfer.MOST_SEGMENTS,
        "WRAM_LINE": matrix.WRAM_LINE,
        "WRAM_BANKS": matrix.WRAM_BANKS,
        "PARTIAL_SUMS": reduction.PARTIAL_SUMS,
        "INDEX_OFFSET": reduction.INDEX_OFFSET,
        "SHORT_BYTES": reduction.SHORT,
        "GROUP_BYTES": reduction.GROUP,
        "RANDOM_STEP": f"{reduction.STEP}ull",
        **{f"RANDOM_MIX_{i}": f"{factor}ull" for i, factor in enumerate(reduction.MIX)},
        "CAUSES": len(CAUSES),
        "WAITS": len(WAITS),
        "TOUCHES": TOUCHES,
        "SCALAR_KIND": SCALAR_KIND,
        "SYNC_KIND": SYNC_KIND,
        "BARRIER_KIND": BARRIER_KIND,
        **{f"UNIT_{unit.name}": unit.value for unit in Unit},
        "LINE_BITS": LINE_BITS,
        "STREAMS": STREAMS,
        "FOOTPRINT_CODE": CODE,
        "FOOTPRINT_DATA": DATA,
        "FRACTION": FRACTION,
        "STALLS": len(STALLS),
        "STALL_FETCH": FETCH,
        "STALL_CACHE": CACHE,
        "STALL_TLB": TLB,
        "STALL_DRAM": STALL_DRAM,
        "CACHE_COUNTS": len(COUNTS),
        "LLC_COUNT": LLC_COUNT,
        "TLB_COUNT": TLB_COUNT,
        "FETCH_COUNT": FETCH_COUNT,
        "EVENTS": len(EVENTS),
        "EVENT_ROW_HIT": ROW_HIT,
        "EVENT_ROW_MISS": ROW_MISS,
        "EVENT_TURN": TURN,
        **{f"STATUS_{status.name}": status.value for status in Status},
        **{f"CAUSE_{cause.name}": cause.value for cause in Cause},
    }
    yield from (f"#define {name} {value}" for name, value in whole.items())
    for name in ("EXP_LOG2E", "EXP_LN2_HIGH", "EXP_LN2_LOW", "EXP_OVERFLOW", "EXP_UNDERFLOW",
                 "TANH_SMALL", "LN2", "MOST_ANGLE"):  # fmt: skip
        yield f"#define {name} {_float_text(getattr(elementary, name))}"
    for name in ("EXP_COEFFICIENTS", "LOG_COEFFICIENTS", "TANH_COEFFICIENTS"):
        values = ", ".join(_float_text(value) for value in getattr(elementary, name))
        yield f"#define {name} {{{values}}}"
    for name in ("TWO_OVER_PI", "HALF_PI_HIGH", "HALF_PI_LOW", "TAIL_STEP", "MOST_TAIL"):
        yield f"#define {name} {float(getattr(elementary, name)).hex()}"
    for name in ("SIN_COEFFICIENTS", "COS_COEFFICIENTS", "TAIL_COEFFICIENTS"):
        values = ", ".join(float(value).hex() for value in getattr(elementary, name))
        yield f"#define {name} {{{values}}}"


def _float_text(value: np.float32) -> str:
    return f"{float(value).hex()}f"


def _structure_text(name: str, fields: Fields) -> str:
    members = "".join(
        f"    {c_type} {field}{f'[{count}]' if count > 1 else ''};\n"
        for c_type, field, count in fields
    )
    return f"typedef struct {{\n{members}}} {name};"
