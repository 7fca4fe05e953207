"""Numbers as people read them: thousands separated, SI prefixes, one unit each.

In: plain numbers.  Out: short text.  It never computes a figure.
"""

from __future__ import annotations

_SMALL_PREFIXES = ((1e-12, "p"), (1e-9, "n"), (1e-6, "µ"), (1e-3, "m"))
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def count(value: float) -> str:
    """1234567 → `1,234,567`."""
    return f"{round(value):,}"


def percent(share: float) -> str:
    """0.3125 → `31.2 %`; what rounds to nothing but is not shows as `<0.1 %`."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    return f"{share * 100:.1f} %"


def scaled(value: float, unit: str) -> str:
    """1.27e9, `MAC` → `1.27 GMAC`; three significant digits, decimal prefixes."""
    for size, prefix in _PREFIXES:
        if abs(value) >= 0.9995 * size:
            return f"{_three(value / size)} {prefix}{unit}"
    return f"{_three(value)} {unit}" if value else f"0 {unit}"


def small(value: float, unit: str) -> str:
    """0.00213, `J` → `2.13 mJ`; as `scaled`, and down to 10^-12 too."""
    for size, prefix in _SMALL_PREFIXES:
        if abs(value) < 0.9995 * size * 1e3:
            return f"{_three(value / size)} {prefix}{unit}"
    return scaled(value, unit)


def _three(value: float) -> str:
    digits = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{digits}f}"


def megabytes(value: float) -> str:
    """Bytes → `12.34`, in 10^6 bytes; for columns that say MB in their head."""
    return f"{value / 1e6:,.2f}"


def milliseconds(value: float) -> str:
    """Milliseconds → `1.234`, microsecond digits kept."""
    return f"{value:,.3f}"


def seconds(value: float) -> str:
    """Host seconds → `3.2 s`, or `41 ms` below one tenth."""
    return f"{value * 1e3:.0f} ms" if value < 0.0995 else f"{value:.1f} s"


def clock(hertz: float) -> str:
    """1e9 → `1 GHz`."""
    for size, prefix in _PREFIXES:
        if hertz >= size:
            return f"{hertz / size:g} {prefix}Hz"
    return f"{hertz:g} Hz"
