"""The table of a sweep as it grows: every row once, whatever happens to the process.

Comes in: rows, one at a time.  Goes out: DIR/results.csv, to which each row is appended in one
write as soon as it is known; and DIR/sweep.json, which says what sweep it is of.  A torn last
line, as a killed process may leave, is cut off when the sweep is resumed.  Rows are in the
order in which they were found until `finish` sorts them.
"""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zhisuan.base.errors import ZhisuanError
from zhisuan.base.files import explained, write_atomically

TABLE, IDENTITY = "results.csv", "sweep.json"
SYNC_SECONDS = 1.0
"""A power failure loses the rows of so many seconds at most; a killed process none."""


class Journal:
    """The results of a sweep in a folder; `rows` maps a point's number to its row of texts.

    Opening takes a lock on the table, so that no two sweeps write to one.
    """

    def __init__(
        self, folder: Path, identity: Mapping[str, Any], columns: Sequence[str], resume: bool
    ) -> None:
        self.path, self.columns = folder / TABLE, list(columns)
        self.rows: dict[int, dict[str, str]] = {}
        self._synced = time.monotonic()
        if self.path.exists() and not resume:
            raise ZhisuanError(
                "the folder already has the results of a sweep",
                where=str(self.path),
                expected="a folder without results",
                found="results",
                hint="--resume to go on with that sweep, or another folder",
            )
        with explained(self.path):
            folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            _check_identity(folder / IDENTITY, identity)
        else:
            write_atomically(folder / IDENTITY, _text(identity).encode())
        with explained(self.path):
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            self._lock()
            self._read()
        except BaseException:
            os.close(self._file)
            raise

    def add(self, number: int, row: Mapping[str, str]) -> None:
        """Append the row of a point; it is on file when this returns."""
        assert number not in self.rows, f"point {number} twice"
        self.rows[number] = {column: _text_of(row, column) for column in self.columns}
        self._append(_line(list(self.rows[number].values())))
        if time.monotonic() - self._synced > SYNC_SECONDS:
            os.fsync(self._file)
            self._synced = time.monotonic()

    def finish(self) -> None:
        """Sort the table by point: the same bytes whoever computed which row when."""
        ordered = [self.rows[number] for number in sorted(self.rows)]
        write_table(self.path, self.columns, ordered)

    def close(self) -> None:
        """Let go of the table."""
        os.close(self._file)

    def _append(self, line: bytes) -> None:
        with explained(self.path):
            if os.write(self._file, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ZhisuanError(
                "another sweep is writing these results",
                where=str(self.path),
                expected="one sweep for each folder",
                found="a table locked by another process",
                hint="wait for it, or name another folder",
            ) from None

    def _read(self) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._file, whole)
        if not whole:
            self._append(_line(self.columns))
            return
        header, *lines = csv.reader(io.StringIO(content[:whole].decode()))
        if header != self.columns:
            raise _damaged(self.path, 1, ", ".join(self.columns), ", ".join(header))
        for number, cells in enumerate(lines, 2):
            wanted = f"{len(self.columns)} values, the first a point's number not seen before"
            new = len(cells) == len(header) and cells[0].isdecimal()
            if not new or int(cells[0]) in self.rows:
                raise _damaged(self.path, number, wanted, ", ".join(cells))
            self.rows[int(cells[0])] = dict(zip(header, cells, strict=True))


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    """A CSV file of rows of texts, all of it or nothing."""
    lines = [_line(columns), *(_line([_text_of(row, c) for c in columns]) for row in rows)]
    write_atomically(path, b"".join(lines))


def _text_of(row: Mapping[str, str], column: str) -> str:
    """A cell, on one line; empty where the row has none."""
    return " ".join(row.get(column, "").split())


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _text(identity: Mapping[str, Any]) -> str:
    return json.dumps(identity, indent=1) + "\n"


def _check_identity(path: Path, identity: Mapping[str, Any]) -> None:
    """Refuse to go on with another sweep than the one begun."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        differ = [key for key in identity if before.get(key) != json.loads(_text(identity))[key]]
    except (OSError, ValueError, AttributeError) as error:
        raise ZhisuanError(
            "what sweep the results are of cannot be read",
            where=str(path),
            expected="the file that the sweep wrote when it began",
            found=str(error),
            hint="start anew in another folder",
        ) from error
    if differ:
        raise ZhisuanError(
            "the results are of another sweep",
            where=str(path),
            expected="the same sweep file, machine, programs and version",
            found="another " + ", ".join(differ),
            hint="start anew in another folder",
        )


def _damaged(path: Path, line: int, expected: str, found: str) -> ZhisuanError:
    return ZhisuanError("the results are damaged", where=f"{path}:{line}", expected=expected,
                        found=found, hint="delete the line and resume")  # fmt: skip
