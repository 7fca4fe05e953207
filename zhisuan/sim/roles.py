"""What the two kinds of cores of a cluster make of one program.

In: a program, and after a launch what its tasks did.  Out: the program as a memory core decodes
it; an error where computing cores left a copy to the memory core that it never made.
Executes nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.isa.address import NRAM, WRAM
from zhisuan.isa.encoding import Encodable, encode
from zhisuan.isa.program import Program
from zhisuan.isa.registry import OPCODE_BITS, Instruction, Unit
from zhisuan.isa.table import BY_NAME, BY_OPCODE
from zhisuan.sim.tasks import MEMORY_CORE
from zhisuan.sim.trace import Stretch

_MULTICAST = ("VCAST", "MCAST")
"""Transfers to the memories of other cores."""
_PASSED_OVER = encode(Encodable(BY_NAME["SMOVE"], BY_NAME["SMOVE"].modes[0], (0, 0)))
_SHARED_COPIES = [BY_NAME[name].opcode for name in ("GLOAD", "GSTORE", "GLOAD3", "GSTORE3")]
_SYNC = BY_NAME["SYNC"].opcode


def for_memory_core(program: Program) -> Program:
    """The program as a memory core decodes it.

    It has no NRAM, WRAM, vector or matrix unit, and passes over what needs one of them.  So a
    pipeline through SRAM needs no conditions: every core does its part of it.
    """
    words = _without_computing(program.words.astype(np.uint64).tobytes())
    return replace(program, words=np.frombuffer(words, np.uint64))


@functools.lru_cache(maxsize=256)
def _without_computing(words: bytes) -> bytes:
    made = np.frombuffer(words, np.uint64).copy()
    for at, word in enumerate(made.tolist()):
        row = BY_OPCODE.get(word & (1 << OPCODE_BITS) - 1)
        if row is not None and _needs_a_computing_core(row):
            made[at] = _PASSED_OVER
    return made.tobytes()


def _needs_a_computing_core(row: Instruction) -> bool:
    if row.unit in (Unit.VFU, Unit.MFU):
        return True
    own = {*row.reads, *row.writes} & {NRAM, WRAM}
    return row.is_queued and bool(own) and row.name not in _MULTICAST


def check_shared_copies(program: Program, stretches: Iterable[Stretch]) -> None:
    """Stop where computing cores passed over a copy that their memory core did not make, either.

    `stretches` are those of a launch.  A computing core marks what it passes over with a SYNC of
    no queue; which copy it was, the source line tells.
    """
    passed: dict[tuple[int, str], None] = {}
    made: set[tuple[int, str]] = set()
    for stretch in stretches:
        for rows in stretch.rows:
            if stretch.core == MEMORY_CORE:
                of_interest = np.isin(rows["opcode"], _SHARED_COPIES)
            else:
                of_interest = (rows["opcode"] == _SYNC) & (rows["a"][:, 0] == 0)
            for pc in np.unique(rows["pc"][of_interest]).tolist():
                key = (stretch.cluster, program.place(pc))
                made.add(key) if stretch.core == MEMORY_CORE else passed.setdefault(key)
    for cluster, place in passed:
        if (cluster, place) not in made:
            raise ZhisuanError(
                "a copy between GDRAM and SRAM that no memory core makes",
                where=place,
                expected="a line that memory cores reach: they make these copies",
                found=f"only computing cores of cluster {cluster} reach it",
                hint="`if (__is_mpu())` around it, or no condition",
            )
