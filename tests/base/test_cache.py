"""The store of compiled code: found again, checked, atomic, honest about a full disk."""

from __future__ import annotations

import errno
import os
import shutil
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zhisuan.base import cache, files
from zhisuan.base.errors import ZhisuanError


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZHISUAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_put_is_got() -> None:
    assert cache.get("kernels", ["add", b"\0"]) is None
    path = cache.put("kernels", ["add", b"\0"], b"code", suffix=".so")
    assert path.suffix == ".so"
    assert path.read_bytes() == b"code"
    assert cache.get("kernels", ["add", b"\0"], suffix=".so") == path
    assert cache.get("kernels", ["add", b"\1"], suffix=".so") is None
    assert cache.get("kernels", ["add", b"\0"], suffix=".ll") is None
    assert cache.get("other", ["add", b"\0"], suffix=".so") is None


def test_parts_of_a_key_are_kept_apart() -> None:
    assert cache.digest(["ab", "c"]) != cache.digest(["a", "bc"])
    assert cache.digest(["abc"]) == cache.digest("abc") == cache.digest(b"abc")


def test_make_is_called_once() -> None:
    calls: list[int] = []

    def make() -> bytes:
        calls.append(1)
        return b"made"

    first = cache.get_or_make("kernels", iter(["k", "1"]), make)
    assert cache.get_or_make("kernels", iter(["k", "1"]), make) == first
    assert len(calls) == 1


@pytest.mark.parametrize("damage", [b"", b"cod", b"codE", b"code more"])
def test_a_damaged_entry_is_dropped_and_made_again(damage: bytes) -> None:
    path = cache.put("kernels", "k", b"code")
    path.write_bytes(damage)
    assert cache.get("kernels", "k") is None
    assert not path.exists()
    assert cache.get_or_make("kernels", "k", lambda: b"code").read_bytes() == b"code"


def test_racing_writers_agree(own_cache: Path) -> None:
    with ThreadPoolExecutor(8) as workers:
        paths = set(workers.map(lambda _: cache.put("kernels", "k", b"c" * 9999), range(32)))
    assert len(paths) == 1
    assert files_in(own_cache) == list(paths)


def test_clear_removes_everything(own_cache: Path) -> None:
    cache.put("kernels", "k", b"code")
    cache.clear()
    assert files_in(own_cache) == []
    assert cache.get("kernels", "k") is None


def test_no_room(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(descriptor: int, data: memoryview) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 7, 3))
    monkeypatch.setattr(files.os, "write", write)
    with pytest.raises(ZhisuanError) as caught:
        cache.put("kernels", "k", b"code")
    folder = own_cache / "kernels" / cache.digest("k")[:2]
    assert str(caught.value) == (
        "error: no room for the cache of compiled code\n"
        f"  where:    folder {folder}\n"
        "  expected: 4 bytes free\n"
        "  found:    3 bytes free\n"
        "  try:      free some space, or set ZHISUAN_CACHE to a folder on another disk"
    )
    assert files_in(own_cache) == []


def test_scratch_is_removed_and_explains(own_cache: Path) -> None:
    with cache.scratch(100) as folder:
        (folder / "x").write_text("x")
        assert folder.parent == own_cache
    with pytest.raises(ZhisuanError, match="no room"), cache.scratch(100) as folder:
        (folder / "x").write_text("x")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(own_cache.iterdir()) == []


def test_where_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.root() == tmp_path / "cache"
    monkeypatch.delenv("ZHISUAN_CACHE")
    assert cache.root() == tmp_path / "xdg" / "zhisuan"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.root() == tmp_path / "home" / ".cache" / "zhisuan"


@pytest.mark.parametrize("home", [None, ""])
def test_nowhere_to_be(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZHISUAN_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    with pytest.raises(ZhisuanError) as caught:
        cache.root()
    assert str(caught.value) == (
        "error: there is no folder for the cache of compiled code\n"
        "  expected: ZHISUAN_CACHE, XDG_CACHE_HOME or HOME to name a folder\n"
        "  found:    none of them set\n"
        "  try:      ZHISUAN_CACHE=.cache/zhisuan"
    )


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZHISUAN_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ZhisuanError) as caught:
        cache.get("kernels", "k")
    assert str(caught.value) == (
        "error: the cache of compiled code cannot be written\n"
        f"  where:    folder {tmp_path}/file/cache\n"
        "  expected: a folder that can be made and written to\n"
        "  found:    not a directory\n"
        "  try:      set ZHISUAN_CACHE to a folder that can be written to"
    )


def test_a_read_only_cache(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ZhisuanError) as caught:
        cache.put("kernels", "k", b"code")
    assert caught.value.what == "the cache of compiled code cannot be written"
    assert caught.value.found == "read-only file system"
