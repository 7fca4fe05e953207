"""Names and colours of units and causes, once, for every table and picture.

A unit that works is the one strong colour; reasons for waiting are muted and tell apart
without red-green vision; idleness is almost the paper.  Each colour is (light, dark).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """A state a unit can be in: its name for people, one sentence, and its colours."""

    name: str
    doc: str
    light: str
    dark: str


UNIT_NAMES = {
    "scalar": "scalar",
    "vfu": "vector",
    "mfu": "matrix",
    "io": "IO-DMA",
    "move": "Move-DMA",
}

CAUSES = {
    "busy": Cause("working", "the unit executes an instruction", "#2f5d8c", "#86b4e2"),
    "operands": Cause(
        "operands", "its operands are still being written or read", "#f0cd8f", "#7d6230"
    ),
    "in order": Cause("in order", "behind another instruction of its queue", "#d9bfe3", "#634a70"),
    "window": Cause(
        "window", "as many unfinished instructions as can be compared", "#f3b8c4", "#7a4350"
    ),
    "dram": Cause("DRAM", "DRAM serves another core, or a scalar load", "#cfd8a0", "#545c2c"),
    "sram": Cause("SRAM", "the cluster's SRAM serves other transfers", "#a9d6d3", "#2c5f5c"),
    "noc": Cause("network", "a link between clusters is taken", "#c9c3ea", "#4a4478"),
    "instruction fetch": Cause(
        "instruction fetch", "code is not in the instruction cache", "#dcc8b0", "#5a4630"
    ),
    "cache": Cause("cache", "a scalar load from the last-level cache", "#bfd7b5", "#3f5a35"),
    "tlb": Cause("TLB", "an off-chip address is being translated", "#d3b8d9", "#553a5c"),
    "barrier": Cause("barrier", "other cores have not reached the barrier", "#e8b9a0", "#6b4632"),
    "sync": Cause("sync", "a SYNC holds the decoder until queues are empty", "#f1c7b8", "#6e4234"),
    "queue full": Cause("queue full", "a full queue holds the decoder", "#e4dcae", "#5d5a35"),
    "decode": Cause("decode", "its instruction has not been decoded yet", "#b5d9ea", "#315a6d"),
    "launch": Cause("launch", "a kernel is being launched", "#b9b9b3", "#5c5c58"),
    "drain": Cause("drain", "results or other units are still under way", "#b3d9c1", "#37604a"),
    "idle": Cause("idle", "nothing more to do in this launch", "#efede7", "#292b2e"),
}


def cause_name(cause: str) -> str:
    """The name people read; a cause the palette does not know keeps its own."""
    return CAUSES[cause].name if cause in CAUSES else cause


def cause(name: str) -> Cause:
    """Colours and text of a cause; one the palette does not know is drawn as idle."""
    return CAUSES.get(name) or Cause(name, name, CAUSES["idle"].light, CAUSES["idle"].dark)
