"""Rules on scalar code: loops, accesses off the chip, fetching, launching.

In: `Facts`, `Bounds`.  Out: advice, or none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zhisuan.isa.registry import Unit
from zhisuan.report import quantities as q
from zhisuan.report.profile.advice.advice import Advice
from zhisuan.report.profile.advice.bounds import (
    Bounds,
    without_data_caches,
    without_fetching,
    without_launching,
)
from zhisuan.report.profile.advice.facts import Facts, largest
from zhisuan.report.profile.advice.words import at_lines, share, size
from zhisuan.sim.caches import WORD_BYTES

WAITING = 0.15
OFTEN = 64
"""Executions from which a word is in a loop that vector instructions could do."""
FLOATS = ("f16", "bf16", "f32")
MEMORY = ("load", "store")
SCALAR = (Unit.SCALAR.value,)


def scalar_loop(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Elements computed one at a time."""
    profile = facts.profile
    shares = facts.by_line("scalar", "cache", "tlb", "dram", units=SCALAR)
    looped = _element_loops(facts)
    shares = np.where(looped > 0, shares, 0)
    if shares.sum() < WAITING:
        return
    lines = largest(shares)
    part = float(shares[list(lines)].sum())
    times = int(looped[list(lines)].max()) // max(len(facts.places), 1)
    yield Advice(
        "scalar loop",
        f"{share(part)} of the time goes to scalar code {at_lines(profile, lines)} that handles "
        f"elements one at a time, {q.count(times)} times.",
        "Use vector built-ins (__bang_add, __bang_mul_const, __bang_active_…, __bang_reduce_sum) "
        "on arrays in NRAM: one instruction does an array, many lanes in a cycle.",
        lines,
        part,
        bounds.without_share(part),
    )


def _element_loops(facts: Facts) -> np.ndarray:
    """By line: executions of scalar words that compute floats or access memory, in lines where
    loops do both."""
    charges, table = facts.profile.charges, facts.profile.table
    found = np.zeros((2, len(table.lines)), np.int64)
    for name, words in charges.words.items():
        counts = charges.executed[name][facts.places].sum(axis=0)
        modes = _modes(facts, name)
        for pc in np.flatnonzero(counts >= OFTEN * len(facts.places)).tolist():
            row = words[pc].row
            if row is None or row.unit is not Unit.SCALAR:
                continue
            is_memory = row.cost in MEMORY
            is_float = not is_memory and any(kind in FLOATS for kind in modes[pc].split("."))
            if is_memory or is_float:
                line = table.of_word[name][pc]
                kind = 0 if is_memory else 1
                found[kind, line] = max(found[kind, line], counts[pc])
    return np.where(found[0] > 0, found.max(axis=0), found[1])


def _modes(facts: Facts, name: str) -> list[str]:
    """The mode of every word of a program."""
    from zhisuan.base.errors import ZhisuanError
    from zhisuan.isa.encoding import decode

    found = []
    for word in facts.profile.report.programs[name].words.tolist():
        try:
            found.append(decode(word).mode)
        except ZhisuanError:
            found.append("")
    return found


def scalar_off_chip(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Scalar loads from GDRAM, one at a time."""
    waits = facts.by_line("cache", "tlb", "dram", units=SCALAR)
    if waits.sum() < WAITING:
        return
    lines = largest(waits)
    yield Advice(
        "scalar loads off the chip",
        f"{share(waits.sum())} of the time scalar loads {at_lines(facts.profile, lines)} wait for "
        "memory off the chip.",
        "Copy what they read to NRAM in one transfer first: __memcpy(…, GDRAM2NRAM).",
        lines,
        float(waits.sum()),
        bounds.retimed(without_data_caches),
    )


def fetching(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Code that comes too late."""
    profile, cache = facts.profile, facts.profile.report.machine.icache
    waits = facts.by_line("instruction fetch")
    if waits.sum() < WAITING or cache is None:
        return
    lines = largest(waits)
    code = max(
        (int((counts[facts.places].sum(axis=0) > 0).sum()) * WORD_BYTES
         for counts in profile.charges.executed.values()),
        default=0,
    )  # fmt: skip
    if code > cache.size:
        what = f"the code that runs, {size(code)}, does not fit the instruction cache"
        how = "Make loops smaller: unroll less, and let hot loops not span large functions."
    else:
        what = "the code is run for the first time"
        how = "Launch more work at once, so that code is fetched once for all of it."
    yield Advice(
        "instruction fetch",
        f"{share(waits.sum())} of the time the decoder waits for code: {what}.",
        how,
        lines,
        float(waits.sum()),
        bounds.retimed(without_fetching),
    )


def launching(facts: Facts, bounds: Bounds) -> Iterator[Advice]:
    """Launches too short for what launching takes."""
    part = facts.share("launch")
    if part < WAITING:
        return
    count = len(facts.profile.report.trace.launches)
    launches = "the launch" if count == 1 else f"{count} launches"
    yield Advice(
        "launch overhead",
        f"{share(part)} of the time goes to starting {launches}.",
        "Do more in a launch: larger inputs, or several steps in one kernel.",
        (),
        part,
        bounds.retimed(without_launching),
    )


RULES = (scalar_loop, scalar_off_chip, fetching, launching)
