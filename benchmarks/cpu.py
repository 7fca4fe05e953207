"""This host's CPU: what it is called, how many cores it has, and what power they take.

Energy comes from the processor's own counter (RAPL) where it can be read, else from the thermal
design power of its series, shared equally among its cores (cpu.toml); where neither is known it is
left out.  `timed` also tells what other processes took of the cores meanwhile: times on a busy
host say little.
"""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
COUNTERS = Path("/sys/class/powercap")
TICKS = Path("/proc/stat")
TABLE = Path(__file__).parent / "cpu.toml"
MICROJOULES = 1e6
QUIET = 0.1
"""A measurement is done again when other processes took a larger share of the cores meanwhile."""


@dataclass(frozen=True)
class Series:
    """A processor of cpu.toml."""

    name: str
    cores: int
    watts: int
    source: str

    @property
    def watts_per_core(self) -> float:
        return self.watts / self.cores


@dataclass(frozen=True)
class Cpu:
    """What the host says of itself; `series` is None where the table has none like it."""

    name: str
    vendor: str
    family: int
    model: int
    series: Series | None


def identify(text: str) -> Cpu:
    """The CPU of a /proc/cpuinfo."""
    lines = [line.split(":", 1) for line in text.splitlines() if ":" in line]
    first = {key.strip(): value.strip() for key, value in reversed(lines)}
    family, model = int(first.get("cpu family", -1)), int(first.get("model", -1))
    vendor = first.get("vendor_id", "unknown")
    return Cpu(first.get("model name", "unknown"), vendor, family, model,
               _series(vendor, family, model))  # fmt: skip


def this_cpu() -> Cpu:
    return identify(CPUINFO.read_text() if CPUINFO.exists() else "")


def _series(vendor: str, family: int, model: int) -> Series | None:
    for entry in tomllib.loads(TABLE.read_text(encoding="utf-8"))["series"]:
        low, high = entry["models"]
        if (vendor, family) == (entry["vendor"], entry["family"]) and low <= model <= high:
            return Series(entry["name"], entry["cores"], entry["watts"], entry["source"])
    return None


def threads() -> int:
    """The cores this process may use."""
    counted = getattr(os, "sched_getaffinity", None)
    return len(counted(0)) if counted else os.cpu_count() or 1


def counted_joules(folder: Path = COUNTERS) -> float | None:
    """What the processors have taken by their own count; None where it cannot be read."""
    packages = sorted(folder.glob("intel-rapl:[0-9]"))
    try:
        found = [int((package / "energy_uj").read_text()) for package in packages]
    except OSError:
        return None
    return sum(found) / MICROJOULES if found else None


@dataclass(frozen=True, order=True)
class Spent:
    """Seconds of something, and the share of all cores' time that others took meanwhile."""

    seconds: float
    others: float


def timed(action: Callable[[], object]) -> Spent:
    """Do it and say what it took; `others` is 0 where the system does not count."""
    before = (time.perf_counter(), time.process_time(), busy_seconds())
    action()
    after = (time.perf_counter(), time.process_time(), busy_seconds())
    seconds, own, busy = (b - a for a, b in zip(before, after, strict=True))
    return Spent(seconds, max(0.0, busy - own) / (seconds * threads()))


def busy_seconds() -> float:
    """Seconds that all cores together have not been idle."""
    if not TICKS.exists():
        return 0.0
    ticks = [int(text) for text in TICKS.read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return (sum(ticks) - idle) / os.sysconf("SC_CLK_TCK")
