"""Kernels compiled and launched as the command line does, and profiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from zhisuan import bcl
from zhisuan.cli.launch import launch
from zhisuan.report.model import RunReport
from zhisuan.report.profile.profile import Profile, profile
from zhisuan.report.profile.sources import numbered

Launch = Callable[..., RunReport]


@cache
def compiled(source: str) -> bcl.Compiled:
    return bcl.compile(source, "k.bcl")


def run(
    source: str, machine: str = "dlp-s", tasks: int = 1, task_type: str = "BLOCK", **arguments: str
) -> RunReport:
    """Launch the one kernel of `source`; arguments as `--arg` takes them."""
    texts = [f"{name}={value}" for name, value in arguments.items()]
    program = compiled('#include "bang.h"\n' + source).program
    return launch(program, None, texts, machine, dims=(tasks, 1, 1), task_type=task_type).report


def profiled(source: str, **options: object) -> Profile:
    """`run`, and its profile with the source's text."""
    text = numbered('#include "bang.h"\n' + source)
    return profile(run(source, **options), {"k.bcl": text})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def profile_of() -> Callable[..., Profile]:
    return profiled


@pytest.fixture(scope="session")
def run_of() -> Launch:
    return run


@pytest.fixture
def line_with() -> Callable[[Profile, str], int]:
    """The number, in a profile's table, of the only line whose text has this in it."""

    def find(found: Profile, part: str) -> int:
        lines = [i for i in range(len(found.table.lines)) if part in found.text(i)]
        assert len(lines) == 1, (part, lines)
        return lines[0]

    return find
