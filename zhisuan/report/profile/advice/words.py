"""How advice names lines and numbers.

In: positions of lines, shares.  Out: short text.
"""

from __future__ import annotations

from collections.abc import Sequence

from zhisuan.report.profile.profile import Profile


def at_lines(profile: Profile, lines: Sequence[int]) -> str:
    """`at k.bcl:6 and k.bcl:8`; of a program of one file `at lines 6 and 8`; nothing where no line
    is known."""
    entries = [profile.table.lines[line] for line in lines]
    if not entries:
        return ""
    files = {line.file for line in profile.table.lines if line.number}
    if len(files) == 1 and all(entry.number for entry in entries):
        numbers = sorted(entry.number for entry in entries)
        name = "line" if len(numbers) == 1 else "lines"
        return f"at {name} {_joined([str(n) for n in numbers])}"
    return f"at {_joined([entry.where for entry in entries])}"


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def share(part: float) -> str:
    """0.824 → `82 %`."""
    return f"{part * 100:.0f} %"


def size(value: float) -> str:
    """Bytes of memories: `512 B`, `4 KiB`, `1.5 MiB`."""
    for step, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= step:
            return f"{value / step:.3g} {name}"
    return f"{value:.0f} B"
