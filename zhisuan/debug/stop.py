"""Why the launch stands still, as both front ends tell it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from zhisuan.base.errors import ZhisuanError


class Reason(Enum):
    """The value is the reason's name in the Debug Adapter Protocol."""

    ENTRY = "entry"
    BREAKPOINT = "breakpoint"
    WATCHPOINT = "data breakpoint"
    STEP = "step"
    FAULT = "exception"
    PAUSE = "pause"
    END = "end"
    BEGINNING = "beginning"


class Left(Exception):
    """The user has had enough; what is debugged does not go on."""


@dataclass(frozen=True)
class Stop:
    """`index` is the task it is about; `breakpoints` are the numbers of those that were hit;
    `text` says more, a line or several."""

    reason: Reason
    index: int
    breakpoints: tuple[int, ...] = ()
    text: str = ""
    error: ZhisuanError | None = None
