"""Compiled code on disk, found again by what it was made from.

In: a kind (a folder name), the key (everything the entry depends on) and the entry's bytes.
Out: the path of a complete, checked file.  Holds only what can be made again: never results.

An entry's file name is `<hash of key>-<hash of content><suffix>`, so one rename publishes the
content together with its checksum, and processes that race write the same file.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zhisuan.base import files, knobs
from zhisuan.base.errors import ZhisuanError

Key = str | bytes | Iterable[str | bytes]
SCRATCH = "make-"
STALE_SECONDS = 3600


def root() -> Path:
    """The cache folder, made if need be: $ZHISUAN_CACHE, else $XDG_CACHE_HOME/zhisuan, else
    ~/.cache/zhisuan.  One that cannot be used is an error: nothing goes elsewhere silently.
    """
    folder = _chosen_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unusable(folder, error) from error
    return folder


def _chosen_folder() -> Path:
    named = knobs.cache_folder()
    if named is not None:
        return named
    shared = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(shared):
        return Path(shared) / "zhisuan"
    home = os.environ.get("HOME", "")
    if os.path.isabs(home):
        return Path(home) / ".cache" / "zhisuan"
    raise ZhisuanError(
        "there is no folder for the cache of compiled code",
        expected="ZHISUAN_CACHE, XDG_CACHE_HOME or HOME to name a folder",
        found="none of them set",
        hint="ZHISUAN_CACHE=.cache/zhisuan",
    )


def get(kind: str, key: Key, *, suffix: str = "") -> Path | None:
    """The entry's file, its checksum verified; None when absent.  A damaged one is dropped."""
    folder, name = _place(kind, key)
    for path in sorted(folder.glob(f"{name}-*{suffix}")):
        try:
            if path.name == _file_name(name, path.read_bytes(), suffix):
                return path
            path.unlink(missing_ok=True)
        except OSError:  # another process replaced or dropped it
            continue
    return None


def put(kind: str, key: Key, data: bytes, *, suffix: str = "") -> Path:
    """Store `data` and return its file; a full disk is an error that leaves nothing behind."""
    folder, name = _place(kind, key)
    path = folder / _file_name(name, data, suffix)
    with _explained(folder, len(data)):
        folder.mkdir(parents=True, exist_ok=True)
        files.replace_file(path, data)
    return path


def get_or_make(kind: str, key: Key, make: Callable[[], bytes], *, suffix: str = "") -> Path:
    """The entry's file, made and stored now when absent; `make` returns the bytes."""
    key = [key] if isinstance(key, str | bytes) else list(key)
    return get(kind, key, suffix=suffix) or put(kind, key, make(), suffix=suffix)


@contextmanager
def scratch(size: int) -> Iterator[Path]:
    """A folder inside the cache to prepare entries in, removed at the end of the block.

    `size` says about how many bytes the work needs, for the message when the disk is full.
    """
    _sweep(root())
    with _explained(root(), size), tempfile.TemporaryDirectory(prefix=SCRATCH, dir=root()) as name:
        yield Path(name)


def _sweep(folder: Path) -> None:
    """Remove scratch folders so old that a killed process must have left them."""
    for left in folder.glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def clear() -> None:
    """Remove every entry, and what a killed process may have left half-made."""
    shutil.rmtree(root(), ignore_errors=True)


def digest(key: Key) -> str:
    """The name of a key: 32 hex digits; parts are kept apart, so ("ab", "c") != ("a", "bc")."""
    hasher = hashlib.sha256()
    for part in [key] if isinstance(key, str | bytes) else key:
        data = part.encode() if isinstance(part, str) else part
        hasher.update(len(data).to_bytes(8, "little") + data)
    return hasher.hexdigest()[:32]


def _place(kind: str, key: Key) -> tuple[Path, str]:
    name = digest(key)
    return root() / kind / name[:2], name


def _file_name(name: str, data: bytes, suffix: str) -> str:
    return f"{name}-{hashlib.sha256(data).hexdigest()[:32]}{suffix}"


@contextmanager
def _explained(folder: Path, size: int) -> Iterator[None]:
    """Turn an OSError met while storing `size` bytes in `folder` into a message to act on."""
    try:
        yield
    except OSError as error:
        if error.errno in files.FULL:
            raise full(folder, size) from error
        raise _unusable(folder, error) from error


def full(folder: Path, size: int) -> ZhisuanError:
    """The error of a disk that cannot take `size` more bytes under `folder`."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return ZhisuanError(
        "no room for the cache of compiled code",
        where=f"folder {folder}",
        expected=f"{size} bytes free",
        found=f"{shutil.disk_usage(folder).free} bytes free",
        hint="free some space, or set ZHISUAN_CACHE to a folder on another disk",
    )


def _unusable(folder: Path, error: OSError) -> ZhisuanError:
    return ZhisuanError(
        "the cache of compiled code cannot be written",
        where=f"folder {folder}",
        expected="a folder that can be made and written to",
        found=(error.strerror or str(error)).lower(),
        hint="set ZHISUAN_CACHE to a folder that can be written to",
    )
