"""The options `--check` and `--schedule` of commands that run programs.

In: their texts.  Out: names of checks; seeds as they are.
"""

from __future__ import annotations

from typing import Annotated

import typer

Check = Annotated[
    str | None,
    typer.Option(
        "--check",
        help="Look for mistakes: memcheck,initcheck,racecheck,synccheck, all or none.",
        show_default=False,
    ),
]
Schedule = Annotated[
    int | None,
    typer.Option(
        "--schedule",
        help="Run again with the tasks in the order of this seed; results must not differ.",
        show_default=False,
    ),
]


def names(text: str | None) -> tuple[str, ...] | None:
    """The checks asked for, None without the option; an unknown one is an error."""
    if text is None:
        return None
    from zhisuan.sim.checks.run import parse

    return parse(text)
