"""`zhisuan sweep`: many machines × programs, and which of them are worth a look."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhisuan.base.errors import ZhisuanError

if TYPE_CHECKING:
    from zhisuan.explore.sweep import Outcome

SHOWN = 12
"""Machines of a front that are printed; the file has all."""


def sweep(
    file: Annotated[Path, typer.Argument(help="A sweep file; docs/sweep.md shows one.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for the results [FILE's name].",
                     show_default=False),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="Processes [one per core].", show_default=False),
    ] = None,
    ray: Annotated[
        str,
        typer.Option("--ray", metavar="ADDRESS|local", show_default=False,
                     help="Measure on a Ray cluster: HOST:PORT of its head, or one of this host."),
    ] = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the results in the folder.")
    ] = False,
) -> None:  # fmt: skip
    """Time programs on many machines, and pick out the best.

    Writes results.csv, front.csv and pareto.svg.  Interrupted, it goes on with --resume.
    """
    from zhisuan.cli.screen import show_written
    from zhisuan.explore import sweep as sweeps
    from zhisuan.explore.cluster import LOCAL
    from zhisuan.explore.sweep_file import load

    if jobs and ray not in ("", LOCAL):
        raise ZhisuanError(
            "--jobs does not say how many processes a cluster has",
            where=f"--ray {ray} --jobs {jobs}",
            expected="one of the two; a cluster uses all the cores of its nodes",
        )
    wanted = load(file)
    folder = output or file.with_suffix("")
    try:
        done = sweeps.run(wanted, folder, jobs=jobs or _cores(), resume=resume, ray=ray)
    except KeyboardInterrupt:
        print("interrupted; the same command with --resume goes on from here", file=sys.stderr)
        raise
    _show(done, list(wanted.vary))
    show_written({path.stem: path for path in done.files})


def _cores() -> int:
    """The cores this process may use."""
    counted = getattr(os, "sched_getaffinity", None)
    return len(counted(0)) if counted else os.cpu_count() or 1


def _show(done: Outcome, varied: list[str]) -> None:
    """The counts, the reasons of what was impossible, and the fronts."""
    from zhisuan.explore.pareto import objectives

    reasons = Counter(row["impossible"] for row in done.rows if row["impossible"])
    before = f", {done.resumed:,} of them from before" if done.resumed else ""
    print(f"{len(done.rows):,} points{before}; {reasons.total():,} impossible")
    for reason, count in reasons.most_common():
        print(f"  {count:,} × {reason}")
    for program, front in done.fronts.items():
        columns = [*varied, *objectives(front)]
        lines = [["", *columns]]
        if any(done.bases[program].get(name) for name in columns):
            base = done.bases[program]
            lines.append([base["point"], *(base.get(name, "") for name in columns)])
        lines += [[row["point"], *(row[name] for name in columns)] for row in front[:SHOWN]]
        more = f", the fastest {SHOWN} are" if len(front) > SHOWN else ""
        print(f"\n{program}: {len(front)} on the Pareto front{more}")
        widths = [max(len(line[column]) for line in lines) for column in range(len(columns) + 1)]
        for line in lines:
            print("  ".join(f"{text:>{width}}" for text, width in zip(line, widths, strict=True)))
