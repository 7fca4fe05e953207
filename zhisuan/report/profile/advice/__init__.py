"""Advice in words: rules on measured numbers, each with the lines, their share and a bound.

Comes in: a `Profile`.  Goes out: `Advice`, the most promising first.  A rule speaks only where what
it measures takes a good part of the time; the bound on its gain is found by timing the trace again
on a machine without that limit, or from what is charged.
"""

from __future__ import annotations

from zhisuan.report.profile.advice.advice import Advice
from zhisuan.report.profile.advice.ask import advise

__all__ = ["Advice", "advise"]
