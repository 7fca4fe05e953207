"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from zhisuan.base import files
from zhisuan.base.errors import ZhisuanError


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write to a file takes four bytes, and the next one finds no room."""
    written: dict[int, int] = {}
    real = os.write

    def write(descriptor: int, data: memoryview) -> int:
        if written.setdefault(descriptor, 0) >= 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = real(descriptor, data[:4])
        written[descriptor] += count
        return count

    monkeypatch.setattr(files.os, "write", write)


def test_text_and_bytes_with_missing_folders(tmp_path: Path) -> None:
    assert files.write_atomically(tmp_path / "a/b/x.txt", "智算\n").read_text("utf-8") == "智算\n"
    files.write_atomically(str(tmp_path / "a/b/x.txt"), b"\0" * 100_000)
    assert (tmp_path / "a/b/x.txt").read_bytes() == b"\0" * 100_000
    assert names(tmp_path) == ["a", "a/b", "a/b/x.txt"]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = files.write_atomically(tmp_path / "x", b"1")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_full_disk_keeps_the_old_file(tmp_path: Path, full_disk: None) -> None:
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(ZhisuanError) as caught:
        files.write_atomically(tmp_path / "x", b"new and longer")
    assert str(caught.value) == (
        f"error: cannot write '{tmp_path}/x'\n"
        f"  where:    folder {tmp_path}\n"
        "  expected: a disk with room left\n"
        "  found:    no space left on device\n"
        "  try:      free some space, or write to another disk"
    )
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ZhisuanError) as caught:
        files.write_atomically(tmp_path / "file" / "x", b"")
    assert str(caught.value) == (
        f"error: cannot write '{tmp_path}/file/x'\n"
        f"  where:    folder {tmp_path}/file\n"
        "  expected: a place that can be written to\n"
        "  found:    file exists\n"
        "  try:      another folder"
    )


def test_outputs_appear_together(tmp_path: Path) -> None:
    with files.Outputs() as outputs:
        picture = outputs.file(tmp_path / "out/demo.png")
        stages = outputs.folder(tmp_path / "out/stages")
        picture.write_bytes(b"png")
        (stages / "sub").mkdir()
        (stages / "sub/1.graph").write_text("graph")
        assert not (tmp_path / "out/demo.png").exists()
        assert not (tmp_path / "out/stages").exists()
    assert names(tmp_path / "out") == [
        "demo.png",
        "stages",
        f"stages/{files.MANIFEST}",
        "stages/sub",
        "stages/sub/1.graph",
    ]
    assert (tmp_path / "out/demo.png").read_bytes() == b"png"


def test_outputs_vanish_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "demo.png").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), files.Outputs() as outputs:
        outputs.file(tmp_path / "demo.png").write_bytes(b"new")
        (outputs.folder(tmp_path / "stages") / "x").write_text("x")
        raise KeyboardInterrupt
    assert names(tmp_path) == ["demo.png"]
    assert (tmp_path / "demo.png").read_bytes() == b"old"


def test_a_failed_rename_puts_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(target) == tmp_path / "b":
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    with pytest.raises(ZhisuanError, match=r"cannot write .*/b'"), files.Outputs() as outputs:
        outputs.file(tmp_path / "a").write_bytes(b"new")
        outputs.file(tmp_path / "b").write_bytes(b"new")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_our_own_folder_is_replaced_whole(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with files.Outputs() as outputs:
            (outputs.folder(tmp_path / "stages") / name).write_text(name)
    assert names(tmp_path / "stages") == [files.MANIFEST, "second"]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    with files.Outputs() as outputs:
        (outputs.folder(tmp_path / "stages") / "ours").write_text("")
    (tmp_path / "stages/thesis.txt").write_text("precious")
    with pytest.raises(ZhisuanError) as caught, files.Outputs() as outputs:
        outputs.folder(tmp_path / "stages")
    assert str(caught.value) == (
        f"error: folder '{tmp_path}/stages' holds files that Zhisuan did not write\n"
        "  expected: a new or empty folder, or one that an earlier run filled\n"
        "  found:    1 other files: thesis.txt\n"
        "  try:      name another folder"
    )
    assert names(tmp_path / "stages") == [files.MANIFEST, "ours", "thesis.txt"]


def test_file_and_folder_mixed_up(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    outputs = files.Outputs()
    with pytest.raises(ZhisuanError) as caught:
        outputs.folder(tmp_path / "x")
    assert str(caught.value) == (
        f"error: cannot write '{tmp_path}/x'\n  expected: a folder\n  found:    a file"
    )
    with pytest.raises(ZhisuanError) as caught:
        outputs.file(tmp_path)
    assert str(caught.value) == (
        f"error: cannot write '{tmp_path}'\n  expected: a file name\n  found:    a folder"
    )


def test_an_unwritable_place_is_reported_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outputs = files.Outputs()
    for claim in (outputs.file, outputs.folder):
        with pytest.raises(ZhisuanError, match="cannot write"):
            claim(tmp_path / "file" / "x")
