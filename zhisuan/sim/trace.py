"""Traces: what the machine did, instruction by instruction, as columns of numbers.

Comes in: rows from an executor.  Goes out: a `Trace`, kept in a .trace file (NumPy's npz) that
is the same, bit by bit, for the same run.  There are no cycles in it: `timing` adds those.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zhisuan.base.errors import ZhisuanError
from zhisuan.base.files import write_atomically
from zhisuan.isa.registry import Instruction, Operands
from zhisuan.isa.table import BY_NAME, BY_OPCODE
from zhisuan.sim.footprint import FIELDS, FOOTPRINT, joined, none
from zhisuan.sim.tasks import ONE_TASK, TASK_TYPES, Dims

COST_CLASSES = (
    "alu", "multiply", "divide", "convert", "transcendental", "load", "store", "branch", "sync",
)  # fmt: skip
"""Scalar cost classes in the order of the fields of `arch.machine.Scalar`: a0..a8 of a run."""

ARGUMENTS = 9
SCALAR_RUN = 0
SYNC_OPCODE = BY_NAME["SYNC"].opcode
BARRIER_OPCODE = BY_NAME["BARRIER"].opcode
PRINT_OPCODE = BY_NAME["PRINT"].opcode
MEETING = 3
"""a3 of a BARRIER: the number of its meeting in the launch; the rows that met have the same."""
NO_MEETING = -1
"""The MEETING of a BARRIER at which a task waited in vain: only in launches that stopped."""
_FORMAT = 3

ROW = np.dtype(
    [("a", np.int64, (ARGUMENTS,)), ("pc", np.int32), ("opcode", np.int16), ("mode", np.uint8),
     ("reserved", np.uint8)]
)  # fmt: skip
"""One row as executors write it; 80 bytes."""


def leaves_row(row: Instruction) -> bool:
    """Whether each instruction of this kind has a row of its own."""
    return row.is_queued or row.opcode in (BARRIER_OPCODE, SYNC_OPCODE)


@dataclass(frozen=True)
class Launch:
    """One kernel launch: its label, what ran, its first row, its task dimensions and type."""

    label: str
    program: str
    kernel: str
    first_row: int
    dims: Dims = ONE_TASK
    task_type: str = "BLOCK"

    @property
    def clusters(self) -> int:
        """Clusters of a job: clusterId counts from the first of the job's."""
        return max(TASK_TYPES[self.task_type], 1)


@dataclass(frozen=True)
class Trace:
    """Columns of n rows; `a` is int64[9, n].

    Rows of a launch stand core by core in order of (cluster, core), those of a core in program
    order, task after task.  opcode 0 is a run of scalar instructions: pc the first of the run,
    a0..a8 how many of each class of COST_CLASSES.  Any other row is a queued instruction, SYNC
    or BARRIER: a0.. are its operand values in the row's order (registers' contents and
    immediates, signed); a BARRIER also has its MEETING.  `footprints` (sim/footprint.py) say what
    scalar runs touched, in the order of their rows.
    """

    launch: np.ndarray  # int32
    cluster: np.ndarray  # int16, of the chip
    core: np.ndarray  # int16, in its cluster; MEMORY_CORE for the memory core
    task: np.ndarray  # int32, taskId
    pc: np.ndarray  # int32
    opcode: np.ndarray  # int16
    mode: np.ndarray  # uint8
    a: np.ndarray  # int64[9, n]
    launches: tuple[Launch, ...]
    footprints: np.ndarray = field(default_factory=none)

    def __len__(self) -> int:
        return len(self.pc)

    def groups(self) -> Iterator[tuple[Instruction, str, np.ndarray]]:
        """Each (row of the table, mode) that occurs, with the indices of its trace rows."""
        keys = self.opcode.astype(np.int32) * 256 + self.mode
        order = np.argsort(keys, kind="stable")
        distinct, starts = np.unique(keys[order], return_index=True)
        ends = [*starts[1:], len(order)]
        for key, start, end in zip(distinct, starts, ends[: len(starts)], strict=True):
            indices = order[start:end]
            if key >> 8 != SCALAR_RUN:
                row = BY_OPCODE[int(key >> 8)]
                yield row, row.modes[int(key & 255)], indices

    def kinds(self) -> list[tuple[Instruction, str]]:
        """Each (row of the table, mode) that occurs."""
        keys = np.bincount(self.opcode.astype(np.int64) * 256 + self.mode)
        found = [(int(key) >> 8, int(key) & 255) for key in np.flatnonzero(keys)]
        rows = [(BY_OPCODE[opcode], mode) for opcode, mode in found if opcode != SCALAR_RUN]
        return [(row, row.modes[mode]) for row, mode in rows]

    def operands(self, row: Instruction, mode: str, indices: np.ndarray) -> Operands:
        """Columns (int64) of trace rows of one kind, for cost and touch formulas: operands, and
        what execution noted."""
        names = [*(op.name for op in row.operands), *row.noted]
        values = {name: self.a[i, indices] for i, name in enumerate(names)}
        return Operands(mode, values)

    def rows_of(self, launch: int) -> slice:
        """The trace rows of a launch."""
        ends = [entry.first_row for entry in self.launches[1:]] + [len(self)]
        return slice(self.launches[launch].first_row, ends[launch])

    def to_bytes(self) -> bytes:
        table = [
            [e.label, e.program, e.kernel, e.first_row, e.dims, e.task_type] for e in self.launches
        ]
        header = json.dumps({"format": _FORMAT, "launches": table}, separators=(",", ":"))
        columns = {
            "header": np.frombuffer(header.encode(), np.uint8),
            **{name: getattr(self, name) for name in _COLUMNS},
            "footprints": self.footprints.view(np.int64).reshape(-1, len(FIELDS)),
        }
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for name, column in columns.items():
                raw = io.BytesIO()
                np.lib.format.write_array(raw, column, version=(1, 0), allow_pickle=False)
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), raw.getvalue())
        return packed.getvalue()

    def save(self, path: Path | str) -> None:
        """Write a .trace file, all of it or nothing."""
        write_atomically(path, self.to_bytes())

    @staticmethod
    def load(path: Path | str) -> Trace:
        """Read a .trace file; a damaged one is an error."""
        path = Path(path)
        try:
            return _parse(path)
        except FileNotFoundError as error:
            raise ZhisuanError(f"no trace file '{path}'", found="no such file") from error
        except _DAMAGE as error:
            raise ZhisuanError(
                "not a trace, or a damaged one",
                where=str(path),
                expected="a complete .trace file that Zhisuan wrote",
                found=str(error) or type(error).__name__,
                hint="run the program again with --emit",
            ) from error


_DAMAGE = (
    ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError, struct.error, zlib.error,
    zipfile.BadZipFile,
)  # fmt: skip
"""What reading a damaged archive can raise."""
_COLUMNS = {
    "launch": np.int32, "cluster": np.int16, "core": np.int16, "task": np.int32, "pc": np.int32,
    "opcode": np.int16, "mode": np.uint8, "a": np.int64,
}  # fmt: skip


def _parse(path: Path) -> Trace:
    with zipfile.ZipFile(path) as archive:  # reading a member verifies its checksum
        names = ("header", *_COLUMNS, "footprints")
        raw = {name: io.BytesIO(archive.read(f"{name}.npy")) for name in names}
    loaded = {n: np.lib.format.read_array(r, allow_pickle=False) for n, r in raw.items()}
    header = json.loads(loaded["header"].tobytes())
    columns = {name: loaded[name] for name in _COLUMNS}
    if header["format"] != _FORMAT:
        raise ValueError(f"format {header['format']}")
    footprints = _footprints(loaded["footprints"], len(columns["pc"]))
    launches = tuple(_launch(*entry) for entry in header["launches"])
    trace = Trace(**columns, launches=launches, footprints=footprints)
    for name, kind in _COLUMNS.items():
        shape = (ARGUMENTS, len(trace)) if name == "a" else (len(trace),)
        if columns[name].dtype != kind or columns[name].shape != shape:
            raise ValueError(f"column '{name}' is {columns[name].dtype}{columns[name].shape}")
    _check_rows(trace)
    return trace


def _footprints(table: np.ndarray, rows: int) -> np.ndarray:
    """The footprints of a file, refused where no executor writes such."""
    if table.dtype != np.int64 or table.ndim != 2 or table.shape[1] != len(FIELDS):
        raise ValueError(f"footprints are {table.dtype}{table.shape}")
    footprints = np.ascontiguousarray(table).view(FOOTPRINT).reshape(-1)
    row = footprints["row"]
    if (np.diff(row) < 0).any() or (row < 0).any() or (row >= rows).any():
        raise ValueError("footprints out of order")
    if (footprints["last"] < footprints["first"]).any() or (table[:, 1:] < 0).any():
        raise ValueError("footprints of nothing")
    return footprints


def _launch(
    label: str, program: str, kernel: str, first_row: int, dims: list[int], task_type: str
) -> Launch:
    x, y, z = dims
    if task_type not in TASK_TYPES:
        raise ValueError(f"task type {task_type!r}")
    return Launch(label, program, kernel, first_row, (x, y, z), task_type)


def _check_rows(trace: Trace) -> None:
    """Refuse rows that no executor writes."""
    firsts = [entry.first_row for entry in trace.launches] + [len(trace)]
    if firsts[0] != 0 or firsts != sorted(firsts):
        raise ValueError("launches out of order")
    expected = np.repeat(np.arange(len(trace.launches)), np.diff(firsts))
    if not np.array_equal(trace.launch, expected):
        raise ValueError("rows and launches disagree")
    places = np.stack([trace.launch, trace.cluster, trace.core]).astype(np.int64)
    places = (places[0] << 32) + (places[1] << 16) + places[2]
    if (np.diff(places) < 0).any() or (np.minimum(trace.cluster, trace.core) < 0).any():
        raise ValueError("cores out of order")
    for key in np.unique(trace.opcode.astype(np.int32) * 256 + trace.mode):
        row = BY_OPCODE.get(int(key >> 8))
        scalar = key == SCALAR_RUN
        if not scalar and (row is None or int(key & 255) >= len(row.modes)):
            raise ValueError(f"opcode {key >> 8}, mode {key & 255}")


@dataclass(frozen=True)
class Stretch:
    """The rows of one task (arrays of ROW), and where it ran."""

    rows: list[np.ndarray]
    cluster: int = 0
    core: int = 0
    task: int = 0
    footprints: np.ndarray = field(default_factory=none)


class TraceBuilder:
    """Collects rows launch by launch; `build` makes the trace of what is complete."""

    def __init__(self) -> None:
        self._launches: list[Launch] = []
        self._stretches: list[Stretch] = []
        self._rows = 0

    def add(self, label: str, program: str, kernel: str, rows: list[np.ndarray]) -> None:
        """Enter a launch of a lone task that ran to its end; `rows` are arrays of ROW."""
        self.add_tasks(Launch(label, program, kernel, self.rows), [Stretch(rows)])

    @property
    def rows(self) -> int:
        """Rows so far: the first row of the next launch."""
        return self._rows

    @property
    def launches(self) -> int:
        """Launches so far."""
        return len(self._launches)

    def add_tasks(self, launch: Launch, stretches: Iterable[Stretch]) -> None:
        """Enter a launch whose tasks all ran to their ends, in the order each core ran its."""
        ordered = sorted(stretches, key=lambda stretch: (stretch.cluster, stretch.core))
        self._launches.append(launch)
        self._stretches.extend(ordered)
        self._rows += sum(len(chunk) for stretch in ordered for chunk in stretch.rows)

    def build(self) -> Trace:
        chunks = [chunk for stretch in self._stretches for chunk in stretch.rows]
        rows = joined([np.zeros(0, ROW), *chunks])
        lengths = [sum(map(len, stretch.rows)) for stretch in self._stretches]
        firsts = [entry.first_row for entry in self._launches] + [self._rows]
        launch = np.repeat(np.arange(len(self._launches), dtype=np.int32), np.diff(firsts))

        def place(name: str) -> np.ndarray:
            values = [getattr(stretch, name) for stretch in self._stretches]
            return np.repeat(np.array(values, _COLUMNS[name]), lengths)

        columns = {name: place(name) for name in ("cluster", "core", "task")}
        columns |= {name: np.ascontiguousarray(rows[name]) for name in ("pc", "opcode", "mode")}
        columns["a"] = np.ascontiguousarray(rows["a"].T)
        begins = np.cumsum([0, *lengths])[:-1]
        return Trace(
            launch=launch,
            launches=tuple(self._launches),
            footprints=join_footprints([s.footprints for s in self._stretches], begins),
            **columns,
        )


def join_footprints(parts: Sequence[np.ndarray], begins: Iterable[int]) -> np.ndarray:
    """Footprints of parts of a trace, each of which begins at a row."""
    whole = joined([none(), *parts])
    lengths = [len(part) for part in parts]
    whole["row"] += np.repeat(np.array([*begins], np.int64), lengths)
    return whole
