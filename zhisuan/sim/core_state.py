"""A core between two instructions: all that decides how its task goes on, but for memory.

An executor gives it and goes on from it, so that a task can be taken back to where it was.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CoreState:
    """`pc` is the next instruction; `executed` counts those before it; `held` is the lock whose
    section the core is in."""

    pc: int
    executed: int
    held: int | None
    registers: tuple[int, ...]
