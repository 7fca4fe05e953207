"""What a front end debugs: something that launches kernels, once or many times.

Comes in: a launch, or a program of host and kernels.  Goes out: a `Target`, whose launches a
debugger runs.  It asks nothing and shows nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhisuan.arch.machine import Machine
from zhisuan.debug.launch import Launch
from zhisuan.debug.stop import Left
from zhisuan.isa.program import Program
from zhisuan.runtime.host_calls import HostCalls
from zhisuan.runtime.host_process import run_main
from zhisuan.sim.tasks import Dims

Debug = Callable[[Launch], None]
"""Lets the user look at a launch until it is over; a fault that ended it is raised."""
Ended = Callable[[int], Any]
"""Told the exit status, where the program takes the process with it."""


@dataclass(frozen=True)
class Target:
    """`run` gives each launch to a debugger; it returns, or tells the exit status before the whole
    process ends.  `program` is what is known of the kernels before."""

    run: Callable[[Debug, Ended], int]
    is_program: bool = False
    program: Program | None = None
    folders: tuple[Path, ...] = ()


def of_launch(launch: Launch) -> Target:
    def run(debug: Debug, _: Ended) -> int:
        debug(launch)
        return 0

    return Target(run, program=launch.program, folders=launch.folders)


def of_program(
    library: Path, words: Sequence[str], machine: Machine, folders: tuple[Path, ...]
) -> Target:
    """A shared object with a `main`, from `bcl.host`; `words` are its name and its arguments."""

    def run(debug: Debug, ended: Ended) -> int:
        calls = HostCalls(machine, ())
        device, number = calls.card.device, 0

        def launched(
            program: Program, kernel: str, values: Sequence[int | float], dims: Dims, kind: str
        ) -> None:
            nonlocal number
            number += 1
            made = Launch(program, kernel, values, device.memory, dims, kind, device.executor,
                          folders, number - 1)  # fmt: skip
            try:
                debug(made)
            except Left:  # through C there is no other way out
                sys.stdout.flush()
                os._exit(0)

        device.debugger = launched
        run_main(library, words, calls, ended)

    return Target(run, is_program=True, folders=folders)
