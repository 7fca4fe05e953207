"""Writing files so that nobody ever sees half of one.

In: paths and contents (and text read back).  Out: complete files and folders, written aside in
the same folder and renamed into place.  Never leaves a partial file behind, and never deletes a
file it did not write itself.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from zhisuan.base.errors import ZhisuanError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says when there is no room for a file."""
SHOWN = 48
"""Characters of a file's name in the name it has while it is written aside: that must fit too."""
MANIFEST = ".zhisuan-files"
"""Lists what we wrote into a folder: only a folder that holds nothing else is replaced."""


def aside_name(path: Path) -> Path:
    """A fresh hidden name beside `path`, where it can be prepared before the rename."""
    return path.with_name(f".{path.name[:SHOWN]}.{secrets.token_hex(6)}.part")


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step; raises OSError and then leaves nothing behind."""
    aside = aside_name(path)
    try:
        _write_through(aside, data)
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _write_through(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path | str, data: bytes | str) -> Path:
    """Write `data` (text as UTF-8) to `path`, making missing folders; all of it or nothing."""
    path = Path(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data.encode() if isinstance(data, str) else data)
    return path


def read_text(path: Path) -> str:
    """The UTF-8 text of a file the user named; a missing or binary one is an error."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ZhisuanError(
            "cannot read the file",
            where=str(path),
            expected="an existing text file",
            found=(error.strerror or str(error)).lower(),
            hint="check the path",
        ) from error
    except UnicodeDecodeError as error:
        raise ZhisuanError(
            "the file is not text",
            where=str(path),
            expected="UTF-8 text",
            found=f"byte 0x{error.object[error.start]:02x} at offset {error.start}",
            hint="the file may be damaged, or of another kind than its extension says",
        ) from error


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError met while writing `path` into the message a user can act on."""
    try:
        yield
    except OSError as error:
        no_room = error.errno in FULL
        raise ZhisuanError(
            f"cannot write '{path}'",
            where=f"folder {path.absolute().parent}",
            expected="a disk with room left" if no_room else "a place that can be written to",
            found=(error.strerror or str(error)).lower(),
            hint="free some space, or write to another disk" if no_room else "another folder",
        ) from error


class Outputs:
    """Files and folders that appear together when the `with` block ends well, or not at all.

    Each is claimed early, so that an unwritable place is reported before the work is done::

        with Outputs() as outputs:
            picture = outputs.file("out/demo.png")     # a path aside, to write to
            stages = outputs.folder("out/stages")      # a folder aside, to fill
            ...
    """

    def __init__(self) -> None:
        self._claimed: list[tuple[Path, Path]] = []  # (aside, final)

    def file(self, path: Path | str) -> Path:
        """Claim `path`; write the content to the path returned (an empty file by now)."""
        path = Path(path)
        with explained(path):
            if path.is_dir():
                raise ZhisuanError(
                    f"cannot write '{path}'", expected="a file name", found="a folder"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = aside_name(path)
            _write_through(aside, b"")
        self._claimed.append((aside, path))
        return aside

    def folder(self, path: Path | str) -> Path:
        """Claim the folder `path`; fill the folder returned.

        An existing folder is replaced if it is empty or holds only what an earlier run wrote.
        """
        path = Path(path)
        with explained(path):
            _refuse_foreign_files(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = aside_name(path)
            aside.mkdir()
        self._claimed.append((aside, path))
        return aside

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._place_all()
            elif isinstance(error, ZhisuanError):
                self._name_finally(error)
            elif isinstance(error, OSError) and error.errno in FULL and self._claimed:
                with explained(self._full_disk(error)):
                    raise error
        finally:
            for aside, _ in self._claimed:
                _remove(aside)

    def _name_finally(self, error: ZhisuanError) -> None:
        """Let the message say the names that were asked for, not those aside."""
        for aside, final in self._claimed:
            error.what = error.what.replace(aside.name, final.name)
            if isinstance(error.where, str):
                error.where = error.where.replace(aside.name, final.name)
        error.args = (error.render(),)

    def _full_disk(self, error: OSError) -> Path:
        """The claimed file that had no room: the one the error names, else the first."""
        named = [final for aside, final in self._claimed if str(aside) == error.filename]
        return named[0] if named else self._claimed[0][1]

    def _place_all(self) -> None:
        """Rename each into place; after a failure put back what had been there before."""
        replaced: list[tuple[Path, Path | None]] = []  # (final, what it held before)
        try:
            for aside, final in self._claimed:
                with explained(final):
                    if aside.is_dir():
                        _write_manifest(aside)
                    before = aside_name(final) if final.exists() else None
                    if before is not None:
                        os.replace(final, before)
                    replaced.append((final, before))
                    os.replace(aside, final)
        except BaseException:
            for final, before in reversed(replaced):
                _remove(final)
                if before is not None:
                    os.replace(before, final)
            raise
        for _, before in replaced:
            if before is not None:
                _remove(before)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _names_in(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return {path.relative_to(folder).as_posix() for path in found}


def _write_manifest(folder: Path) -> None:
    names = sorted(_names_in(folder))
    (folder / MANIFEST).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def _refuse_foreign_files(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ZhisuanError(f"cannot write '{folder}'", expected="a folder", found="a file")
    if not folder.is_dir():
        return
    manifest = folder / MANIFEST
    ours = set(manifest.read_text(encoding="utf-8").splitlines()) if manifest.is_file() else set()
    foreign = sorted(_names_in(folder) - ours - {MANIFEST})
    if foreign:
        shown = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
        raise ZhisuanError(
            f"folder '{folder}' holds files that Zhisuan did not write",
            expected="a new or empty folder, or one that an earlier run filled",
            found=f"{len(foreign)} other files: {shown}",
            hint="name another folder",
        )
