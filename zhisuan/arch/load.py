"""Machine files: TOML in, a checked `Machine` out; presets live beside this file.

A file has `name`, `title` and one table for each section of `Machine`:

    [dram]
    read_latency = { value = 200, source = "where the number is from" }

`read_latency = 200` is accepted, a number without a source; `check` lists those.  Nothing may
be unknown, every number is a whole one, and only the sections of `ABSENT` may be missing.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from zhisuan.arch import machine as m
from zhisuan.arch.check import broken, check
from zhisuan.arch.describe import describe, vary
from zhisuan.arch.text import FileText
from zhisuan.base.errors import ZhisuanError, did_you_mean

__all__ = ["DEFAULT", "PRESETS", "check", "describe", "load", "parse", "preset_names", "vary"]

PRESETS = Path(__file__).parent / "presets"
DEFAULT = "dlp-s"

_SECTIONS: dict[str, Any] = {
    "dram": m.Dram,
    "nram": m.Nram,
    "wram": m.Wram,
    "vector": m.Vector,
    "matrix": m.Matrix,
    "move": m.Move,
    "queues": m.Queues,
    "scalar": m.Scalar,
    "launch": m.Launch,
    "chip": m.Chip,
    "sram": m.Sram,
    "noc": m.Noc,
    "sparsity": m.Sparsity,
    "channels": m.Channels,
    "llc": m.Llc,
    "tlb": m.Tlb,
    "icache": m.Icache,
    "technology": m.Technology,
}
ABSENT: dict[str, Any] = {
    "chip": m.ONE_CORE,
    "sram": m.NO_SRAM,
    "noc": m.NO_NOC,
    "sparsity": m.NO_SPARSITY,
    "channels": None,
    "llc": None,
    "tlb": None,
    "icache": None,
    "technology": None,
}
"""What a machine has where its file has no such section."""
_NONE = {"chip": "one core", "sram": "no shared memory", "noc": "no network",
         "sparsity": "every weight is multiplied"}  # fmt: skip
_KEYS = {"clock": ["hz"]} | {
    name: [field.name for field in fields(kind)] for name, kind in _SECTIONS.items()
}
_TEXT_KEYS = {
    f"{name}.{field.name}"
    for name, kind in _SECTIONS.items()
    for field in fields(kind)
    if field.type == "str"
}
_TEXTS = ("name", "title")
_ENTRY = '{ value = 123, source = "where the number is from" }'


def preset_names() -> list[str]:
    """The machines that come with the package, by name."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def load(name_or_path: str) -> m.Machine:
    """A preset by name, or a machine file by path (anything ending in .toml)."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = PRESETS / f"{name_or_path}.toml"
    if not path.exists():
        raise ZhisuanError(
            f"no machine called '{name_or_path}'",
            expected="a preset (" + ", ".join(preset_names()) + ") or a .toml file",
            found=name_or_path,
            hint=did_you_mean(name_or_path, preset_names()),
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ZhisuanError("the machine file cannot be read", where=str(path),
                           expected="a TOML file", found=reason) from error  # fmt: skip
    return parse(text, str(path))


def parse(text: str, where: str) -> m.Machine:
    """Parse a machine file's text; every mistake names the file, the line and the key."""
    file = FileText(where, text)
    tables = file.tables("machine", "compare with a preset")
    _known_sections(file, tables)
    sources: dict[str, str] = {}
    given = [name for name in _KEYS if name in tables or name not in ABSENT]
    numbers = {name: _section(file, tables, name, sources) for name in given}
    parts = {name: kind(**numbers[name]) for name, kind in _SECTIONS.items() if name in numbers}
    machine = m.Machine(
        name=str(tables.get("name", Path(where).stem)),
        title=str(tables.get("title", tables.get("name", Path(where).stem))),
        clock_hz=numbers["clock"]["hz"],
        sources=sources,
        **ABSENT | parts,
    )
    for name, part in ABSENT.items():
        if part is not None and name not in parts:
            keys = (f"{name}.{field.name}" for field in fields(part))
            sources.update(dict.fromkeys(keys, f"no section [{name}]: {_NONE[name]}"))
    for fault in broken(machine):
        raise ZhisuanError(fault.what, where=file.place(*fault.key.split(".")),
                           expected=fault.expected, found=fault.found)  # fmt: skip
    return machine


def _known_sections(file: FileText, tables: dict[str, Any]) -> None:
    """Every section and text that is there is known, and of the right form."""
    for name, content in tables.items():
        if name not in _KEYS and name not in _TEXTS:
            raise ZhisuanError(
                f"a machine has no section [{name}]",
                where=file.place(name),
                expected=", ".join(_KEYS) + "; and name, title",
                hint=did_you_mean(name, [*_KEYS, *_TEXTS]),
            )
        if isinstance(content, dict) == (name in _TEXTS):
            wanted = f'{name} = "text"' if name in _TEXTS else f"[{name}] and its keys"
            raise ZhisuanError(f"'{name}' has the wrong form", where=file.place(name),
                               expected=wanted, found=repr(content))  # fmt: skip


def _section(
    file: FileText, tables: dict[str, Any], name: str, sources: dict[str, str]
) -> dict[str, Any]:
    section, keys = tables.get(name, {}), _KEYS[name]
    for key in section:
        if key not in keys:
            raise ZhisuanError(
                f"section [{name}] has no key '{key}'",
                where=file.place(name, key),
                expected=", ".join(keys),
                hint=did_you_mean(key, keys),
            )
    missing = [key for key in keys if key not in section]
    if missing:
        raise ZhisuanError(
            f"section [{name}] is incomplete" if name in tables else f"section [{name}] is missing",
            where=file.place(name),
            expected=", ".join(keys),
            found="missing " + ", ".join(missing),
            hint="copy the keys from a preset",
        )
    return {key: _value(file, section[key], name, key, sources) for key in keys}


def _value(
    file: FileText, entry: Any, section: str, key: str, sources: dict[str, str]
) -> int | str:
    """The number or text of an entry; its source, if it names one, goes to `sources`."""
    is_text = f"{section}.{key}" in _TEXT_KEYS
    form = _ENTRY.replace("123", '"text"') if is_text else _ENTRY
    value = entry
    if isinstance(entry, dict):
        for name in entry:
            if name not in ("value", "source"):
                raise ZhisuanError(f"{section}.{key} has no '{name}'",
                                   where=file.place(section, key), expected=form,
                                   hint=did_you_mean(name, ("value", "source")))  # fmt: skip
        value = entry.get("value")
        sources[f"{section}.{key}"] = str(entry.get("source", ""))
    if not isinstance(value, str if is_text else int) or isinstance(value, bool):
        wanted = "a text" if is_text else "a whole number"
        raise ZhisuanError(f"{section}.{key} must be {wanted}",
                           where=file.place(section, key), expected=form,
                           found="no value" if value is None else repr(value))  # fmt: skip
    return value
