"""Every environment switch, typed, in one place.

In: environment variables.  Out: checked values, read afresh at each call.  No other module
reads os.environ for a ZHISUAN_* name.  An empty value means that the switch is not set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from zhisuan.base.errors import ZhisuanError, did_you_mean

PREFIX = "ZHISUAN_"
Executor = Literal["native", "reference"]


@dataclass(frozen=True)
class Knob:
    """One switch: `allowed` lists its values, or is empty when `form` alone restricts them."""

    name: str
    meaning: str
    allowed: tuple[str, ...] = ()
    form: str = r".*"
    form_in_words: str = "any text"

    def read(self) -> str | None:
        """The value in the environment, checked; None when it is unset or empty."""
        value = os.environ.get(self.name, "").strip()
        if not value:
            return None
        if self.allowed and value not in self.allowed:
            raise ZhisuanError(
                f"{self.name} has an unknown value",
                where=f"environment variable {self.name} ({self.meaning})",
                expected=" or ".join(self.allowed),
                found=repr(value),
                hint=did_you_mean(value, self.allowed),
            )
        if not re.fullmatch(self.form, value):
            raise ZhisuanError(
                f"{self.name} has a value of the wrong form",
                where=f"environment variable {self.name} ({self.meaning})",
                expected=self.form_in_words,
                found=repr(value),
            )
        return value


CACHE = Knob("ZHISUAN_CACHE", "folder for compiled code")
CLANG = Knob("ZHISUAN_CLANG", "path of the clang to compile with")
EXECUTOR = Knob("ZHISUAN_EXECUTOR", "how the chip is simulated", allowed=("native", "reference"))
CHECK = Knob("ZHISUAN_CHECK", "checks of runs that name none themselves, as --check takes them")
CPU_FEATURES = Knob(
    "ZHISUAN_CPU_FEATURES",
    "host CPU features the native core must do without",
    form=r"-[\w.]+([,\s]+-[\w.]+)*",
    form_in_words="names with a leading minus, separated by commas, such as '-avx512f,-avx2'",
)
THREADS = Knob(
    "ZHISUAN_THREADS",
    "host threads that simulate cores",
    form=r"[1-9]\d{0,3}",
    form_in_words="a number from 1 to 9999",
)
LIMIT = Knob(
    "ZHISUAN_LIMIT",
    "instructions after which a task is taken to be endless",
    form=r"[1-9]\d{0,17}",
    form_in_words="a number from 1 to 999999999999999999",
)
KNOBS: Mapping[str, Knob] = {
    knob.name: knob for knob in (CACHE, CLANG, EXECUTOR, CHECK, CPU_FEATURES, THREADS, LIMIT)
}


def cache_folder() -> Path | None:
    """The folder named by ZHISUAN_CACHE, absolute; None when unset."""
    value = CACHE.read()
    return None if value is None else Path(value).expanduser().absolute()


def clang_path() -> Path | None:
    """The program named by ZHISUAN_CLANG, absolute; None when unset."""
    value = CLANG.read()
    return None if value is None else Path(value).expanduser().absolute()


def executor() -> Executor:
    """ZHISUAN_EXECUTOR, "native" when unset: that is the reference where no compiler is found."""
    return cast("Executor", EXECUTOR.read() or "native")


def check() -> str | None:
    """ZHISUAN_CHECK; None when unset: no checks but those that are asked for."""
    return CHECK.read()


def cpu_features() -> tuple[str, ...]:
    """The restrictions in ZHISUAN_CPU_FEATURES, each with its minus; empty when unset."""
    value = CPU_FEATURES.read()
    return () if value is None else tuple(re.split(r"[,\s]+", value))


def threads() -> int | None:
    """ZHISUAN_THREADS; None when unset: as many as the host has."""
    value = THREADS.read()
    return None if value is None else int(value)


def limit() -> int | None:
    """ZHISUAN_LIMIT; None when unset: what `sim.execute` says."""
    value = LIMIT.read()
    return None if value is None else int(value)


def check_environment() -> None:
    """Refuse a ZHISUAN_* variable that means nothing, and a known one with a wrong value."""
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in KNOBS:
            raise ZhisuanError(
                f"unknown environment variable {name}",
                expected="one of " + ", ".join(KNOBS),
                hint=did_you_mean(name, KNOBS),
            )
    for knob in KNOBS.values():
        knob.read()
