"""What scalar code waits for off chip: instruction fetch, cache, translation, DRAM.

Comes in: a trace with its footprints, and a machine.  Goes out: for every row the cycles that its
decoding takes longer, by cause, and what the caches counted.  No time comes in: caches see the
rows of a trace in their order, core after core, launch after launch.  This is the definition;
native/caches.c repeats it.

Fetch: every core has an instruction cache; straight code asks once for each line.  A line that is
missing is translated and fetched from the last-level cache or DRAM, and the next `refill_lines`
come with it.  A run that loops over more lines than the cache has misses, each further time, the
share of its lines that do not fit.

Data: every line of a footprint is translated and looked for in the last-level cache, once; each
load waits for that cache, and for DRAM where a line is missing.  Stores wait for translation only.
Sets are replaced least recently used first.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from zhisuan.arch.machine import Machine
from zhisuan.isa.address import CONST
from zhisuan.sim.blocks import chip_end, physical
from zhisuan.sim.footprint import CODE, LINE_BITS
from zhisuan.sim.trace import SCALAR_RUN, Trace

STALLS = ("instruction fetch", "cache", "tlb", "dram")
"""What is waited for; names of `schedule.CAUSES`.  The first before a row's own cycles, the others
after, in this order."""
FETCH, CACHE, TLB, DRAM = range(4)
COUNTS = ("LLC hits", "LLC misses", "TLB hits", "TLB misses", "fetch hits", "fetch misses")
LLC_COUNT, TLB_COUNT, FETCH_COUNT = 0, 2, 4
"""Where hits are in COUNTS; misses follow."""
WORD_BYTES = np.dtype(np.uint64).itemsize
"""Of an instruction."""
_PROGRAM = 1 << 28
_CONSTANTS = 1 << 27
"""Bytes from one program to the next, and to its constants."""


@dataclass
class Requests:
    """What rows ask for, in order; int64: code or data from byte `first` to byte `last`.

    again: misses of further times around a loop that does not fit.
    """

    row: np.ndarray
    launch: np.ndarray
    place: np.ndarray
    kind: np.ndarray
    first: np.ndarray
    last: np.ndarray
    loads: np.ndarray
    stores: np.ndarray
    again: np.ndarray


COLUMNS = tuple(field.name for field in fields(Requests))


@dataclass(frozen=True)
class Sizes:
    """The machine's caches; 0 sets where there is none."""

    code_sets: int
    code_ways: int
    code_line: int
    refill: int
    llc_sets: int
    llc_ways: int
    llc_line: int
    llc_latency: int
    tlb_entries: int
    page: int
    walk: int
    dram_latency: int


def sizes(machine: Machine) -> Sizes:
    code, llc, tlb = machine.icache, machine.llc, machine.tlb
    return Sizes(
        code_sets=code.size // (code.line_bytes * code.ways) if code else 0,
        code_ways=code.ways if code else 0,
        code_line=code.line_bytes if code else 1,
        refill=code.refill_lines if code else 0,
        llc_sets=llc.size // (llc.line_bytes * llc.ways) if llc else 0,
        llc_ways=llc.ways if llc else 0,
        llc_line=llc.line_bytes if llc else 1 << LINE_BITS,
        llc_latency=llc.latency if llc else 0,
        tlb_entries=tlb.entries if tlb else 0,
        page=tlb.page_bytes if tlb else 1,
        walk=tlb.miss_cycles if tlb else 0,
        dram_latency=machine.dram.read_latency,
    )


def has_caches(machine: Machine) -> bool:
    return not (machine.icache is None and machine.llc is None and machine.tlb is None)


def requests(trace: Trace, machine: Machine, place: np.ndarray) -> Requests:
    """What the rows of a trace ask the machine's caches for; `place` numbers their cores."""
    marks = trace.footprints
    code = marks[marks["kind"] == CODE]
    data = marks[marks["kind"] != CODE]
    if machine.llc is None and machine.tlb is None:
        data = data[:0]
    straight = np.ones(len(trace), np.bool_)
    straight[code["row"]] = False
    alone = np.flatnonzero(straight)
    pc = trace.pc[alone].astype(np.int64)
    runs = trace.opcode[alone] == SCALAR_RUN
    length = np.where(runs, trace.a[:, alone].sum(axis=0), 1)
    program = _program_base(trace, machine)
    parts = [
        _code(alone, pc, pc + length - 1, np.zeros_like(pc), program),
        _code(code["row"], code["first"], code["last"], _again(code, machine), program),
        _data(data, machine, place, program),
    ]
    if machine.icache is None:
        parts = parts[2:]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.argsort(columns["row"], kind="stable")
    columns = {name: np.ascontiguousarray(column[order]) for name, column in columns.items()}
    rows = columns["row"]
    return Requests(launch=trace.launch[rows].astype(np.int64), place=place[rows], **columns)


def _program_base(trace: Trace, machine: Machine) -> np.ndarray:
    """Where the program of each row lies in DRAM."""
    known: dict[str, int] = {}
    numbers = [known.setdefault(launch.program, len(known)) for launch in trace.launches]
    return chip_end(machine) + np.array([*numbers, 0], np.int64)[trace.launch] * _PROGRAM


def _code(
    row: np.ndarray, first: np.ndarray, last: np.ndarray, again: np.ndarray, program: np.ndarray
) -> dict[str, np.ndarray]:
    base, none = program[row], np.zeros_like(row)
    return {
        "row": row, "kind": none + CODE, "first": base + first * WORD_BYTES,
        "last": base + last * WORD_BYTES, "loads": none, "stores": none, "again": again,
    }  # fmt: skip


def _again(code: np.ndarray, machine: Machine) -> np.ndarray:
    """Misses of each footprint of code after its first time, where its run does not fit."""
    if machine.icache is None or not len(code):
        return np.zeros(len(code), np.int64)
    size, line = machine.icache.size, machine.icache.line_bytes
    first, last = code["first"] * WORD_BYTES // line, code["last"] * WORD_BYTES // line
    again = np.zeros(len(code), np.int64)
    lines = last - first + 1
    row = code["row"] - code["row"][0]
    large = np.flatnonzero(np.bincount(row, lines)[row] > size // line)
    if len(large):
        total = _distinct(row[large], first[large], last[large])
        further = (code["count"][large] - 1) * lines[large]
        misses = further * np.maximum(total - size // line, 0) // total
        again[large] = misses // (1 + machine.icache.refill_lines)
    return again


def _distinct(row: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """For every range of lines how many different lines the ranges of its row have together."""
    order = np.lexsort((first, row))
    apart = row[order] * (int(last.max()) + 2)  # so that ranges of different rows do not meet
    first, last = first[order] + apart, last[order] + apart
    reached = np.maximum.accumulate(np.append(-1, last))[:-1]
    new = np.maximum(last - np.maximum(reached, first - 1), 0)
    distinct, inverse = np.unique(row, return_inverse=True)
    return np.bincount(inverse[order], new, len(distinct)).astype(np.int64)[inverse]


def _data(
    data: np.ndarray, machine: Machine, place: np.ndarray, program: np.ndarray
) -> dict[str, np.ndarray]:
    row = data["row"]
    first, last = data["first"] << LINE_BITS, (data["last"] + 1 << LINE_BITS) - 1
    constant = (first >= CONST.base) & (first < CONST.base + CONST.window)
    moved = np.where(
        constant, program[row] + _CONSTANTS - CONST.base,
        physical(machine, place[row], first) - first,
    )  # fmt: skip
    return {
        "row": row, "kind": data["kind"], "first": first + moved, "last": last + moved,
        "loads": data["count"], "stores": data["stores"], "again": np.zeros_like(row),
    }  # fmt: skip


class _Sets:
    """A cache's lines, the most recently used of each set first."""

    def __init__(self, sets: int, ways: int) -> None:
        self.ways = ways
        self.lines: list[list[int]] = [[] for _ in range(sets)]

    def look(self, line: int) -> bool:
        """Whether `line` is there; afterwards it is."""
        held = self.lines[line % len(self.lines)]
        found = line in held
        if found:
            held.remove(line)
        elif len(held) == self.ways:
            held.pop()
        held.insert(0, line)
        return found


class Caches:
    """The caches of a chip of so many cores; `counts` as COUNTS."""

    def __init__(self, sizes: Sizes, places: int) -> None:
        self.sizes = sizes
        self.code = [_Sets(sizes.code_sets, sizes.code_ways) for _ in range(places)]
        self.pages = [_Sets(1, sizes.tlb_entries) for _ in range(places)]
        self.llc = _Sets(sizes.llc_sets, sizes.llc_ways)
        self.current = [-1] * places
        """The line of code that each core asked for last."""
        self.counts = [0] * len(COUNTS)

    def _count(self, hits: int, found: bool) -> bool:
        self.counts[hits + (not found)] += 1
        return found

    def _misses_page(self, place: int, address: int) -> bool:
        if not self.sizes.tlb_entries:
            return False
        return not self._count(TLB_COUNT, self.pages[place].look(address // self.sizes.page))

    def _misses_llc(self, address: int) -> bool:
        """Whether a line comes from DRAM."""
        return not self.sizes.llc_sets or not self.llc.look(address // self.sizes.llc_line)

    def fetch(self, place: int, first: int, last: int, again: int) -> int:
        """Cycles waited for the code from `first` to `last`."""
        sizes = self.sizes
        waited = again * (sizes.llc_latency if sizes.llc_sets else sizes.dram_latency)
        self.counts[FETCH_COUNT + 1] += again
        for line in range(first // sizes.code_line, last // sizes.code_line + 1):
            if line == self.current[place]:
                continue
            self.current[place] = line
            if not self._count(FETCH_COUNT, self.code[place].look(line)):
                waited += self._refill(place, line)
        return waited

    def _refill(self, place: int, line: int) -> int:
        """Fetch a line and those after it; the cycles until it is there."""
        sizes = self.sizes
        waited = sizes.llc_latency
        waited += sizes.walk * self._misses_page(place, line * sizes.code_line)
        waited += sizes.dram_latency * self._brings(line)
        for ahead in range(line + 1, line + 1 + sizes.refill):
            if not self.code[place].look(ahead):
                self._brings(ahead)
        return waited

    def _brings(self, line: int) -> bool:
        """Bring a line of code from the last-level cache; whether it was not there."""
        missed = self._misses_llc(line * self.sizes.code_line)
        if self.sizes.llc_sets:
            self._count(LLC_COUNT, not missed)
        return missed

    def access(
        self, place: int, first: int, last: int, loads: int, stores: int
    ) -> tuple[int, int, int]:
        """Cycles waited for the last-level cache, translation and DRAM."""
        sizes, missed, walks = self.sizes, 0, 0
        for line in range(first // sizes.llc_line, last // sizes.llc_line + 1):
            walks += self._misses_page(place, line * sizes.llc_line)
            missed += bool(sizes.llc_sets) and self._misses_llc(line * sizes.llc_line)
        if sizes.llc_sets:
            self.counts[LLC_COUNT] += loads + stores - missed
            self.counts[LLC_COUNT + 1] += missed
        waits_for_dram = missed * sizes.dram_latency if loads else 0
        return loads * sizes.llc_latency, walks * sizes.walk, waits_for_dram


def waits(
    asked: Requests, machine: Machine, rows: int, launches: int, places: int
) -> tuple[np.ndarray, np.ndarray]:
    """(int64[STALLS, rows] cycles waited, int64[launches, COUNTS])."""
    caches = Caches(sizes(machine), places)
    stalls = np.zeros((len(STALLS), rows), np.int64)
    counts = np.zeros((launches, len(COUNTS)), np.int64)
    columns = [getattr(asked, name).tolist() for name in COLUMNS]
    for row, launch, place, kind, first, last, loads, stores, again in zip(*columns, strict=True):
        before = list(caches.counts)
        if kind == CODE:
            stalls[FETCH, row] += caches.fetch(place, first, last, again)
        else:
            stalls[CACHE:, row] += caches.access(place, first, last, loads, stores)
        counts[launch] += np.subtract(caches.counts, before)
    return stalls, counts
