"""Sweep files: TOML in, a checked `Sweep` out; every mistake names the file, the line, the key.

machine = "dlp-s"                                 # a preset, or a machine file beside this one
sample = 1000                                     # so many of all combinations [all of them]

[vary]
matrix.lanes_f16 = [16, 24, 32]                   # these
nram.size = { from = 262144, to = 1048576, factor = 2 }
queues.window = { from = 4, to = 16, step = 4 }

[program.style]
network = "style"                                 # a network of this package, and its size
size = 256

[program.mine]
model = "mine.onnx"                               # .onnx or .graph; the sizes it leaves open
dims = { h = 64, w = 64 }

[program.saved]
trace = "saved.trace"                             # re-timed as it is, never planned again
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from zhisuan.arch import load as machines
from zhisuan.arch.check import values
from zhisuan.arch.describe import vary
from zhisuan.arch.machine import Machine
from zhisuan.arch.text import FileText
from zhisuan.base.errors import SourcePos, ZhisuanError, did_you_mean
from zhisuan.base.files import read_text
from zhisuan.explore.program import KINDS, Source

Value = int | str

_TOP = ("machine", "sample", "seed", "vary", "program")
_RANGE = "{ from = 8, to = 64, step = 8 } or { from = 8, to = 64, factor = 2 }"
MOST_POINTS = 1_000_000


@dataclass(frozen=True)
class Sweep:
    """What to try: `vary` maps `section.key` to its values, in the order of the file.

    `sample` of all combinations are taken, drawn with `seed`; 0 takes all.
    """

    machine: Machine
    vary: dict[str, tuple[Value, ...]]
    programs: dict[str, Source]
    sample: int
    seed: int

    @property
    def combinations(self) -> int:
        product = 1
        for choices in self.vary.values():
            product *= len(choices)
        return product


def load(path: Path) -> Sweep:
    """Read a sweep file; files it names are found from its folder."""
    return parse(read_text(path), path)


def parse(text: str, path: Path) -> Sweep:
    """Parse a sweep file's text; `path` is what messages call it."""
    file = FileText(str(path), text)
    tables = file.tables("sweep", "docs/sweep.md has an example")
    for name in tables:
        if name not in _TOP:
            raise ZhisuanError(f"a sweep has no '{name}'", where=file.place(name),
                               expected=", ".join(_TOP), hint=did_you_mean(name, _TOP))  # fmt: skip
    machine = _machine(file, tables.get("machine", machines.DEFAULT), path.parent)
    sweep = Sweep(
        machine=machine,
        vary=_vary(file, tables.get("vary"), machine),
        programs=_programs(file, tables.get("program"), path.parent),
        sample=_whole(file, tables, "sample", 0),
        seed=_whole(file, tables, "seed", 0),
    )
    points = min(sweep.sample or sweep.combinations, sweep.combinations) * len(sweep.programs)
    if points > MOST_POINTS:
        raise ZhisuanError(
            "the sweep has too many points",
            where=file.place("vary"),
            expected=f"at most {MOST_POINTS:,}",
            found=f"{sweep.combinations:,} machines × {len(sweep.programs)} programs",
            hint="sample = 1000, above the first section, takes 1000 machines at random",
        )
    return sweep


def _whole(file: FileText, tables: dict[str, Any], name: str, otherwise: int) -> int:
    value = tables.get(name, otherwise)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ZhisuanError(f"{name} is no count", where=file.place(name),
                           expected="a whole number, zero or more",
                           found=repr(value))  # fmt: skip
    return value


def _machine(file: FileText, name: Any, folder: Path) -> Machine:
    if not isinstance(name, str):
        raise ZhisuanError(
            "machine is no name",
            where=file.place("machine"),
            expected="a preset's name, or a .toml file",
            found=repr(name),
        )
    beside = folder / name
    try:
        return machines.load(str(beside) if name.endswith(".toml") else name)
    except ZhisuanError as error:
        if error.where is None:
            error.where = file.place("machine")
            error.args = (error.render(),)
        raise


def _vary(file: FileText, section: Any, machine: Machine) -> dict[str, tuple[Value, ...]]:
    if not isinstance(section, dict) or not section:
        raise ZhisuanError("the sweep varies nothing", where=file.place("vary"),
                           expected="[vary] with lines such as matrix.lanes_f16 = [16, 24, 32]",
                           found="no such lines")  # fmt: skip
    known = dict(values(machine))
    flat = dict(_flatten(file, section, known))
    return {key: _choices(file, key, entry, machine, known[key]) for key, entry in flat.items()}


def _flatten(file: FileText, section: dict[str, Any], known: dict[str, Value]):  # type: ignore[no-untyped-def]
    """(`section.key`, entry) pairs from dotted keys, quoted ones and sub-tables alike."""
    for name, entry in section.items():
        pairs = [(name, entry)]
        if "." not in name and isinstance(entry, dict):
            pairs = [(f"{name}.{key}", inner) for key, inner in entry.items()]
        for key, inner in pairs:
            if key not in known:
                raise ZhisuanError(
                    f"no machine has a number '{key}'",
                    where=file.place("vary", key),
                    expected="section.key of a machine file; `zhisuan machine show` lists them",
                    hint=did_you_mean(key, known),
                )
            yield key, inner


def _choices(
    file: FileText, key: str, entry: Any, machine: Machine, now: Value
) -> tuple[Value, ...]:
    where = file.place("vary", key)
    form = "texts" if isinstance(now, str) else "whole numbers"
    expected = f"a list of {form}" + ("" if isinstance(now, str) else f", or {_RANGE}")
    listed = _range(where, key, entry) if isinstance(entry, dict) else entry
    if not isinstance(listed, list) or not listed:
        raise ZhisuanError(f"{key} is given no values", where=where, expected=expected,
                           found=repr(entry))  # fmt: skip
    for value in listed:
        if type(value) is not type(now):
            raise ZhisuanError(f"{key} is given something else than {form}", where=where,
                               expected=expected, found=repr(value))  # fmt: skip
        _possible(where, key, value, machine)
    if len(set(listed)) < len(listed):
        raise ZhisuanError(f"{key} is given a value twice", where=where,
                           expected="every value once", found=repr(listed))  # fmt: skip
    return tuple(listed)


def _possible(where: SourcePos, key: str, value: Value, machine: Machine) -> None:
    """Refuse a value that no machine can have.

    What merely does not go with the other values is found point by point.
    """
    try:
        vary(machine, {key: value})
    except ZhisuanError as error:
        if error.what.startswith(f"{key} "):
            raise ZhisuanError(error.what, where=where, expected=error.expected,
                               found=error.found) from error  # fmt: skip


def _range(where: SourcePos, key: str, entry: dict[str, Any]) -> list[int]:
    def wrong(found: str) -> NoReturn:
        raise ZhisuanError(f"{key} has a range that means nothing", where=where,
                           expected=_RANGE, found=found)  # fmt: skip

    by = "factor" if "factor" in entry else "step"
    if set(entry) != {"from", "to", by}:
        wrong(f"the keys {', '.join(entry) or 'none'}")
    first, last, pace = entry["from"], entry["to"], entry[by]
    if any(not isinstance(number, int) or isinstance(number, bool) for number in entry.values()):
        wrong(repr(entry))
    if last < first or pace < (2 if by == "factor" else 1) or (by == "factor" and first < 1):
        wrong(f"from {first} to {last}, {by} {pace}")
    if by == "step":
        if (last - first) // pace >= MOST_POINTS:
            wrong(f"{(last - first) // pace + 1:,} values")
        return list(range(first, last + 1, pace))
    powers = [first]
    while powers[-1] * pace <= last:
        powers.append(powers[-1] * pace)
    return powers


def _programs(file: FileText, section: Any, folder: Path) -> dict[str, Source]:
    if not isinstance(section, dict) or not section:
        raise ZhisuanError(
            "the sweep has no program",
            where=file.place("program"),
            expected='[program.NAME] with network = "style" and size = 256, or a model or a trace',
            found="none",
        )
    return {name: _program(file, name, entry, folder) for name, entry in section.items()}


def _program(file: FileText, name: str, entry: Any, folder: Path) -> Source:
    table = f"program.{name}"
    forms = "\nor ".join(kind.form for kind in KINDS.values())
    if not isinstance(entry, dict):
        raise ZhisuanError(f"'{name}' is no program", where=file.place("program", name),
                           expected=f"[{table}] and {forms}", found=repr(entry))  # fmt: skip
    known = [*KINDS, *(kind.size for kind in KINDS.values() if kind.size)]
    for key in entry:
        if key not in known:
            raise ZhisuanError(f"a program has no '{key}'", where=file.place(table, key),
                               expected=forms, hint=did_you_mean(key, known))  # fmt: skip
    kinds = [kind for kind in KINDS if kind in entry]
    if len(kinds) != 1:
        raise ZhisuanError(f"program '{name}' is not one thing", where=file.place(table),
                           expected=forms, found=", ".join(entry) or "nothing")  # fmt: skip
    kind = KINDS[kinds[0]]
    sizes = _sizes(entry, kind.size)
    extra = set(entry) - {kinds[0], kind.size}
    if sizes is None or extra or not isinstance(entry[kinds[0]], str):
        raise ZhisuanError(f"program '{name}' is not complete", where=file.place(table),
                           expected=kind.form, found=repr(entry))  # fmt: skip
    return kind.source(file.place(table, kinds[0]), kinds[0], entry[kinds[0]], sizes, folder)


def _sizes(entry: dict[str, Any], key: str) -> dict[str, int] | None:
    """The sizes a program is given under `key`; None where they are none."""
    if not key:
        return {}
    given = entry.get(key, {} if key == "dims" else None)
    sizes = {key: given} if key == "size" else given
    if not isinstance(sizes, dict):
        return None
    return sizes if all(type(size) is int and size > 0 for size in sizes.values()) else None
