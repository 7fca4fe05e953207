"""Published figures, and what our machines answer: one module for each source."""

from __future__ import annotations

from dataclasses import dataclass

TAGS = {"F": "found in a source", "D": "derived from one", "R": "recalled"}


@dataclass(frozen=True)
class Answer:
    """A published figure beside ours; `note` says how ours comes about, or why it differs.

    `ours` is None where no machine of ours can answer; then `note` says what is missing.
    `bound` is the relative error that this project asks for, None where it asks for nothing.
    """

    what: str
    theirs: float
    unit: str
    tag: str
    ours: float | None
    note: str = ""
    bound: float | None = None

    @property
    def error(self) -> float | None:
        """Relative error of ours, with its sign."""
        return None if self.ours is None else self.ours / self.theirs - 1


@dataclass(frozen=True)
class Anchor:
    """The answers to one source, under a heading, with how they were found."""

    title: str
    method: str
    answers: tuple[Answer, ...]
