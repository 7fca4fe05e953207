"""What a rule says.

Comes in and goes out: nothing but the words and numbers of an advice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from zhisuan.report.profile.advice.bounds import Bounds
from zhisuan.report.profile.advice.facts import Facts

LEAST_GAIN = 1.05
"""What promises less is not said."""


@dataclass(frozen=True)
class Advice:
    """`rule`: its name.  `what`: one sentence with what was measured; `how`: what to do; `lines`:
    positions in the profile's table; `share`: part of the time, 0..1; `gain`: how much faster
    the run could be at most."""

    rule: str
    what: str
    how: str
    lines: tuple[int, ...]
    share: float
    gain: float


Rule = Callable[[Facts, Bounds], Iterable[Advice]]
