"""What a full disk or a killed process may leave, and how messages name files written aside."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from zhisuan.base import cache
from zhisuan.base.errors import ZhisuanError
from zhisuan.base.files import Outputs, write_atomically


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("ZHISUAN_CACHE", str(tmp_path))
    return tmp_path


def test_scratch_of_a_killed_process_is_removed_later(folder: Path) -> None:
    for name, age in (("make-old", 2 * cache.STALE_SECONDS), ("make-now", 0), ("bcl", 10**6)):
        path = folder / name
        path.mkdir()
        (path / "part.o").write_bytes(b"half")
        then = path.stat().st_mtime - age
        os.utime(path, (then, then))
    with cache.scratch(10) as mine:
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            ["bcl", "make-now", mine.name]
        )


def test_a_full_disk_while_a_claimed_file_is_filled(tmp_path: Path) -> None:
    with pytest.raises(ZhisuanError) as caught, Outputs() as outputs:
        outputs.file(tmp_path / "a.png")
        outputs.file(tmp_path / "b.html")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.what == f"cannot write '{tmp_path / 'a.png'}'"
    assert caught.value.expected == "a disk with room left"
    assert list(tmp_path.iterdir()) == []


def test_another_failure_of_the_system_is_not_dressed_up(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), Outputs() as outputs:
        outputs.file(tmp_path / "a.png")
        raise PermissionError(errno.EPERM, "no")
    assert list(tmp_path.iterdir()) == []


def test_messages_name_the_folder_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    with pytest.raises(ZhisuanError) as caught, Outputs() as outputs:
        aside = outputs.folder(tmp_path / "steps")
        monkeypatch.setattr(os, "write", full)
        write_atomically(aside / "01.graph", "text")
    assert str(caught.value).startswith(
        f"error: cannot write '{tmp_path}/steps/01.graph'\n  where:    folder {tmp_path}/steps\n"
    )
    assert list(tmp_path.iterdir()) == []
