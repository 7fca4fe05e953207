"""Terminals that know little, and outputs that are closed or full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = f"{sys.executable} -m zhisuan.cli"


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", command.replace("zhisuan", COMMAND, 1)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}],
)
def test_a_terminal_without_our_characters(tmp_path: Path, environment: dict[str, str]) -> None:
    done = shell("zhisuan machine show dlp-s", tmp_path, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii() and b"DLP-S" in done.stdout
    done = shell("zhisuan style --size 3×x", tmp_path, **environment)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: size '3") and b"Traceback" not in done.stderr


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no program")
    os.rename(tmp_path / "x", os.fsencode(tmp_path) + b"/bad\xff.dlp")
    done = shell("zhisuan disasm $'bad\\xff.dlp'", tmp_path)
    assert done.returncode == 1
    assert b"not a DLP program" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(tmp_path: Path, closed: str) -> None:
    done = shell(f"zhisuan machine show dlp-s {closed}", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    done = shell(f"zhisuan machine show no-such {closed}", tmp_path)
    assert done.returncode == 1
    assert done.stdout == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_standard_output(tmp_path: Path) -> None:
    done = shell("zhisuan machine show dlp-s >/dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr == b"error: standard output takes no more: No space left on device\n"
