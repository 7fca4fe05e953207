"""A `DebugTable` ↔ plain lists for the header of a `.dlp` file.

A dataclass is `{"Name": [field, …]}`, a tuple a list.  What is no table is one of Python's own
errors.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from zhisuan.isa import debug_table
from zhisuan.isa.debug_table import DebugTable

_CLASSES = {
    name: kind
    for name, kind in vars(debug_table).items()
    if isinstance(kind, type) and is_dataclass(kind)
}


def to_plain(value: Any) -> Any:
    """A table, or a part of one, as lists, dictionaries, numbers and text."""
    if isinstance(value, tuple):
        return [to_plain(part) for part in value]
    if is_dataclass(value):
        parts = [to_plain(getattr(value, part.name)) for part in fields(value)]
        return {type(value).__name__: parts}
    return value


def from_plain(plain: Any) -> DebugTable:
    """The table that `to_plain` was given."""
    table = _part(plain)
    if not isinstance(table, DebugTable):
        raise ValueError("no debug table")
    return table


def _part(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(_part(part) for part in plain)
    if isinstance(plain, dict):
        ((name, parts),) = plain.items()
        return _CLASSES[name](*(_part(part) for part in parts))
    return plain
