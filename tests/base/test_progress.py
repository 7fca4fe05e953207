"""Bars: on a terminal only, and never on standard output."""

from __future__ import annotations

import io
import sys

import pytest

from zhisuan.base import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def look_at(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal as standard error; called in the test, as pytest swaps it between phases."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("CI", raising=False)
    return screen


def test_items_pass_through_silently(capfd: pytest.CaptureFixture[str]) -> None:
    assert list(progress.track(iter([3, 1, 2]), "layers")) == [3, 1, 2]
    assert capfd.readouterr() == ("", "")


def test_a_terminal_shows_label_and_count(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look_at(monkeypatch)
    with progress.bar("simulating", total=7) as bar:
        bar.label("conv1")
        bar.advance(3)
    text = terminal.getvalue()
    assert "simulating conv1" in text
    assert "3/7" in text
    assert "left" in text


def test_track_takes_the_total_from_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look_at(monkeypatch)
    assert list(progress.track([1, 2], "layers")) == [1, 2]
    assert "2/2" in terminal.getvalue()


def test_ci_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = look_at(monkeypatch)
    monkeypatch.setenv("CI", "true")
    assert list(progress.track([1, 2], "layers")) == [1, 2]
    assert terminal.getvalue() == ""
