"""How the command ends: version, help, usage errors, our errors, interruption, a closed pipe."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhisuan import __version__

Command = Callable[..., Any]


def test_version(zhisuan: Command) -> None:
    done = zhisuan("--version")
    assert (done.code, done.out, done.err) == (0, f"zhisuan {__version__}\n", "")


def test_help_names_every_command(zhisuan: Command) -> None:
    done = zhisuan("--help")
    assert done.code == 0
    for command in ("style", "run", "compile", "bcl", "asm", "disasm", "time", "machine"):
        assert f"\n  {command} " in done.out
    assert "..." not in done.out.split("Commands:")[1]  # every summary fits its line


def test_without_arguments_shows_help(zhisuan: Command) -> None:
    done = zhisuan()
    assert done.code == 2
    assert "Commands:" in done.out + done.err


def test_unknown_command(zhisuan: Command) -> None:
    done = zhisuan("stile")
    assert (done.code, done.out) == (2, "")
    assert "No such command 'stile'. Did you mean 'style'" in done.err


def test_unknown_option(zhisuan: Command) -> None:
    done = zhisuan("style", "--stile", "3")
    assert (done.code, done.out) == (2, "")
    assert "--stile" in done.err


def test_wrong_environment(zhisuan: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHISUAN_CASHE", "/tmp")
    done = zhisuan("machine", "list")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: unknown environment variable ZHISUAN_CASHE\n")
    assert done.err.endswith("  try:      did you mean 'ZHISUAN_CACHE'?\n")


def test_interruption(zhisuan: Command, monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    from zhisuan import pipeline

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "style", interrupted)
    done = zhisuan("style", "-o", "a.png")
    assert (done.code, done.out, done.err) == (130, "", "")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("command", ["list", "show dlp-s"])
def test_a_reader_that_leaves_early(command: str) -> None:
    """Whether the output fits the buffer or not, which is written out at the very end."""
    writer = subprocess.Popen(
        [sys.executable, "-m", "zhisuan.cli", "machine", *command.split()],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdout is not None and writer.stderr is not None
    writer.stdout.close()
    assert writer.stderr.read() == b""
    writer.stderr.close()
    writer.wait()


def test_help_starts_quickly() -> None:
    """No command's machinery may be imported before the command is known."""
    program = (
        "import sys\nfrom zhisuan.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('numpy', 'onnx', 'PIL', 'llvmlite') if name in sys.modules])"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - start < 5  # 0.1 s on an idle machine
