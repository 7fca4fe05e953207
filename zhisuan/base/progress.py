"""Progress bars: label, count, time spent, time left.

In: a description and a total.  Out: a bar on the terminal's standard error, and nothing at all
when that is no terminal or when CI is set.  Never writes to standard output.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


class Bar:
    """A bar in progress; this one draws nothing."""

    def advance(self, count: int = 1) -> None:
        """`count` more are done."""

    def label(self, text: str) -> None:
        """Say what is being done now."""


def is_shown() -> bool:
    """Whether somebody is looking: standard error is a terminal and this is no CI run."""
    return not os.environ.get("CI") and sys.stderr.isatty()


@contextmanager
def bar(description: str, total: int | None = None) -> Iterator[Bar]:
    """A bar that goes from 0 to `total` (None: unknown) and disappears at the end."""
    if not is_shown():
        yield Bar()
        return
    from rich import progress  # slow to import, so only when somebody is looking
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("left"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(description, total=total)

        class Drawn(Bar):
            def advance(self, count: int = 1) -> None:
                drawn.advance(task, count)

            def label(self, text: str) -> None:
                drawn.update(task, description=f"{description} {text}")

        yield Drawn()


def track(items: Iterable[Item], description: str, *, total: int | None = None) -> Iterator[Item]:
    """Yield each of `items` with a bar that counts them."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with bar(description, total) as shown:
        for item in items:
            yield item
            shown.advance()
