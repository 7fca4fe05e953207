"""Names, explanations and colours of what time is charged to.

Units keep one strong colour each; causes of waiting have the palette's.
"""

from __future__ import annotations

from zhisuan.report.palette import UNIT_NAMES, Cause, cause
from zhisuan.report.profile.blame import UNIT_KINDS

UNITS_AT_WORK = {
    "scalar": Cause("scalar code", "scalar instructions and decoding", "#2f5d8c", "#86b4e2"),
    "vfu": Cause("vector", "the vector unit works on it", "#3a7d44", "#7fc78a"),
    "mfu": Cause("matrix", "the matrix unit works on it", "#8c3f5d", "#df8fb0"),
    "io": Cause("IO-DMA", "a transfer from or to DRAM is under way", "#c46a1b", "#f0a35e"),
    "move": Cause("Move-DMA", "a transfer on the chip is under way", "#8a7a1f", "#d3c15a"),
}
assert set(UNITS_AT_WORK) == set(UNIT_KINDS) == set(UNIT_NAMES)


def kind(name: str) -> Cause:
    """Of the view `time`."""
    return UNITS_AT_WORK.get(name) or cause(name)


def kind_name(name: str) -> str:
    return kind(name).name
