"""Machine files: TOML in, a checked `Machine` out; presets live beside this file."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from zhisuan.arch import machine as m
from zhisuan.base.errors import ZhisuanError, did_you_mean

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
}


def preset_names() -> list[str]:
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
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, where: str) -> m.Machine:
    """Parse a machine file's text; every mistake names the file and the key."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ZhisuanError("the machine file is not valid TOML", where=where, found=str(error),
                           hint="compare with a preset") from error  # fmt: skip
    sources: dict[str, str] = {}
    clock = _section(tables, "clock", ["hz"], sources, where)
    parts = {
        name: kind(**_section(tables, name, [f.name for f in fields(kind)], sources, where))
        for name, kind in _SECTIONS.items()
    }
    return m.Machine(
        name=str(tables.get("name", where)),
        title=str(tables.get("title", where)),
        clock_hz=clock["hz"],
        sources=sources,
        **parts,
    )


def _section(
    tables: dict[str, Any], name: str, keys: list[str], sources: dict[str, str], where: str
) -> dict[str, int]:
    section = tables.get(name, {})
    unknown = [key for key in section if key not in keys]
    missing = [key for key in keys if key not in section]
    if unknown or missing:
        raise ZhisuanError(
            f"section [{name}] of the machine file is "
            + ("incomplete" if missing else "not understood"),
            where=where,
            expected=", ".join(keys),
            found="missing " + ", ".join(missing) if missing else "unknown " + ", ".join(unknown),
            hint=did_you_mean(unknown[0], keys) if unknown else "copy the key from a preset",
        )
    return {key: _number(section[key], f"{name}.{key}", sources, where) for key in keys}


def _number(entry: Any, key: str, sources: dict[str, str], where: str) -> int:
    value = entry.get("value") if isinstance(entry, dict) else entry
    if isinstance(entry, dict):
        sources[key] = str(entry.get("source", ""))
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ZhisuanError(f"{key} must be a whole number, zero or more", where=where,
                           expected='{ value = 123, source = "..." }',
                           found=repr(entry))  # fmt: skip
    return value
