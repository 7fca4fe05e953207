"""Criteria by kind: how a kind is declared, and how a criterion is judged.

Comes in: from `kernel_criteria` and `op_criteria`, a function for each kind with its options.  Goes
out: an `Outcome` for a criterion and a student's work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.labs.lab_file import Criterion

FIRST = ("builds", "registers")
"""Kinds that tell why nothing of a part can be judged."""


@dataclass(frozen=True)
class Outcome:
    """`points` of the criterion's, more with a bonus; `passed` says whether it is met.

    `note` is a few words on the figure that was judged, `why` what went wrong, in full.
    """

    passed: bool
    points: int
    note: str = ""
    why: str = ""


Judge = Callable[[Criterion, Any], Outcome]
"""A criterion and the work that its kind judges."""
_KINDS: dict[str, tuple[Judge, Mapping[str, Any]]] = {}


def kind(name: str, **defaults: Any) -> Callable[[Judge], Judge]:
    """Enter a kind of criterion with its options; one whose default is None has to be given."""

    def enter(judge: Judge) -> Judge:
        _KINDS[name] = judge, defaults
        return judge

    return enter


def options() -> dict[str, Mapping[str, Any]]:
    """The options of every kind."""
    return {name: defaults for name, (_, defaults) in _KINDS.items()}


def judge(criterion: Criterion, work: Any) -> Outcome:
    """The outcome of a criterion; a part that cannot be used at all has no points."""
    try:
        work.ready()
    except ZhisuanError as error:
        first = criterion.kind in FIRST
        return Outcome(False, 0, "" if first else "not tried", str(error) if first else "")
    return _KINDS[criterion.kind][0](criterion, work)


def met(criterion: Criterion, note: str = "") -> Outcome:
    return Outcome(True, criterion.points, note)


def missed(note: str, why: str) -> Outcome:
    return Outcome(False, 0, note, why)


def cases(count: int) -> str:
    """`1 case`, `2 cases`."""
    return f"{count} case{'s' if count != 1 else ''}"
