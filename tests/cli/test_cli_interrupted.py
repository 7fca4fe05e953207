"""A run that is ended from outside, or by a full disk, leaves nothing that looks finished."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = """
import resource, sys, time
from PIL import Image
from types import SimpleNamespace
from zhisuan import pipeline
from zhisuan.cli import main

def style(*_):
    {work}

pipeline.style = style
main(["style", "-o", "o.png", "--emit", "steps", "--trace", "t.trace"])
"""
"""The command with another pipeline, so that it is under way for as long as a test needs."""


ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def start(
    folder: Path, work: str, ignored: tuple[signal.Signals, ...] = ()
) -> subprocess.Popen[str]:
    """The command under way; it inherits `ignored`, and no other signal that is ignored here.

    A shell's background job, as tests may run in, ignores SIGINT.
    """
    before = {
        number: signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
        for number in ENDING
    }
    try:
        return subprocess.Popen(
            [sys.executable, "-c", RUN.format(work=work)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def under_way(folder: Path, run: subprocess.Popen[str]) -> None:
    """Wait until every output is claimed."""
    for _ in range(600):
        if len(list(folder.iterdir())) == 4 or run.poll() is not None:
            return
        time.sleep(0.05)


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_run_asked_to_end_leaves_nothing(tmp_path: Path, name: str, code: int) -> None:
    run = start(tmp_path, "time.sleep(60)")
    under_way(tmp_path, run)
    run.send_signal(getattr(signal, name))
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out, err) == (code, "", "")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_run_leaves_only_hidden_parts(tmp_path: Path) -> None:
    run = start(tmp_path, "time.sleep(60)")
    under_way(tmp_path, run)
    run.kill()
    run.communicate(timeout=60)
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 4 and all(n.startswith(".") and n.endswith(".part") for n in left)


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    """As under nohup."""
    run = start(tmp_path, "time.sleep(0.5); sys.exit(7)", ignored=(signal.SIGHUP,))
    under_way(tmp_path, run)
    os.kill(run.pid, signal.SIGHUP)
    run.communicate(timeout=60)
    assert run.returncode == 7


def test_a_full_disk_is_a_message(tmp_path: Path) -> None:
    """A limit on the size of files says what a full disk would."""
    work = """
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    return SimpleNamespace(picture=Image.effect_noise((300, 300), 90), report=None, trace=None)
"""
    run = start(tmp_path, work)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (1, "")
    assert err == (
        "error: cannot write 'o.png'\n"
        f"  where:    folder {tmp_path}\n"
        "  expected: a disk with room left\n"
        "  found:    file too large\n"
        "  try:      free some space, or write to another disk\n"
    )
    assert list(tmp_path.iterdir()) == []
