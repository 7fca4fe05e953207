"""A calibration: the largest magnitude and the format of every tensor of a graph; its file.

    graph = "vgg16"
    inputs = 4                # how many were run
    percentile = 100.0        # of magnitudes per input; 100 is the largest of all

    [tensors]
    "image" = { largest = 151.061, position = 1, scale = 1.6814403533935547 }

Position and scale are what quantising uses, so a file may be edited; `largest` is what they
were made from.  Reads and writes text, measures nothing.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.base.files import read_text
from zhisuan.graph.fixed_point import POSITIONS, Format, format_of


@dataclass(frozen=True)
class Measured:
    """One tensor's largest magnitude and the format made from it."""

    largest: float
    format: Format


@dataclass(frozen=True)
class Calibration:
    """What running `inputs` examples through a graph has shown of its tensors."""

    graph: str
    inputs: int
    percentile: float
    tensors: Mapping[str, Measured]

    def format(self, name: str) -> Format:
        """The format of a tensor; one that was not measured is an error."""
        if name not in self.tensors:
            raise ZhisuanError(
                f"the calibration has no range of '{name}'",
                where=f"the calibration of graph '{self.graph}'",
                expected="every tensor that a quantised layer reads",
                found=f"{len(self.tensors)} tensors, not this one",
                hint=did_you_mean(name, self.tensors) or "calibrate this graph",
            )
        return self.tensors[name].format

    def to_text(self) -> str:
        """The file's text."""
        lines = [
            f"graph = {json.dumps(self.graph)}",
            f"inputs = {self.inputs}",
            f"percentile = {self.percentile}",
            "",
            "[tensors]",
        ]
        for name, seen in self.tensors.items():
            lines.append(
                f"{json.dumps(name)} = {{ largest = {seen.largest}, "
                f"position = {seen.format.position}, scale = {seen.format.scale} }}"
            )
        return "\n".join(lines) + "\n"


def measured(largest: float) -> Measured:
    """A magnitude with the format that follows from it."""
    return Measured(largest, format_of(largest))


def load(path: Path) -> Calibration:
    """The calibration in a file; anything else in it is an error that names the place."""
    return from_text(read_text(path), str(path))


def from_text(text: str, where: str) -> Calibration:
    """As `load`, of the text itself."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ZhisuanError(
            "not a calibration file", where=where, expected="TOML", found=str(error)
        ) from None
    kinds = {"graph": str, "inputs": int, "percentile": float, "tensors": dict}
    _check(table, kinds, where, "the file")
    tensors = {name: _measured(item, where, name) for name, item in table["tensors"].items()}
    return Calibration(table["graph"], table["inputs"], table["percentile"], tensors)


def _measured(item: Any, where: str, name: str) -> Measured:
    place = f"tensor '{name}'"
    if not isinstance(item, dict):
        item = {}
    _check(item, {"largest": float, "position": int, "scale": float}, where, place)
    position, scale = item["position"], item["scale"]
    if not (1 <= scale <= 2 and abs(position) <= POSITIONS and math.isfinite(item["largest"])):
        raise ZhisuanError(
            f"{place} has no format of integers",
            where=where,
            expected=f"a scale from 1 to 2, a position from -{POSITIONS} to {POSITIONS}",
            found=f"scale {scale}, position {position}",
        )
    return Measured(item["largest"], Format(position, scale))


def _check(table: Mapping[str, Any], kinds: Mapping[str, type], where: str, place: str) -> None:
    """Exactly these keys, each of its type."""
    right = set(table) == set(kinds) and all(type(table[k]) is kind for k, kind in kinds.items())
    if not right:
        raise ZhisuanError(
            f"{place} cannot be read as a calibration",
            where=where,
            expected=", ".join(f"{key}: {kind.__name__}" for key, kind in kinds.items()),
            found=", ".join(f"{key}: {type(value).__name__}" for key, value in table.items())
            or "nothing",
        )
