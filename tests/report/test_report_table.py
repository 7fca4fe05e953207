"""The tables, letter by letter, at two widths, and on a pipe."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console, RenderableType

from zhisuan.report.costs import cost_tables
from zhisuan.report.model import RunReport
from zhisuan.report.table import print_report

HEAD = """\
round numbers
DLP-S, one MLU370-class core at 1 GHz

cycles              5,000  0.005 ms at 1 GHz
MAC utilisation    40.0 %  3.07 MMAC of 1,536 per cycle
DRAM traffic       170 kB  150 kB read, 20.0 kB written; 34.0 GB/s of 102 GB/s
energy            32.7 µJ  6.53 W; MAC f16 39 %, WRAM 38 %, DRAM 16 %
chip area        2.80 mm²  overhead 42 %, matrix 29 %, WRAM 16 %
host time           2.9 s  compile 0.4 s, simulate 2.5 s, time 31 ms

"""
NARROW = """\
layer             cycles     ms  MAC use  read MB  written  busiest
conv1 3×3, 32→32   4,000  0.004   50.0 %     0.10     0.02  matrix 62 %
norm1              1,000  0.001        –     0.05     0.00  IO-DMA 70 %
all                5,000  0.005   40.0 %     0.15     0.02  matrix 50 %
"""
WIDE = """\
layer             cycles     ms  MAC use  read MB  written  busiest      mostly waits for
conv1 3×3, 32→32   4,000  0.004   50.0 %     0.10     0.02  matrix 62 %  sync 25 %
norm1              1,000  0.001        –     0.05     0.00  IO-DMA 70 %  launch 30 %
all                5,000  0.005   40.0 %     0.15     0.02  matrix 50 %  sync 20 %
"""
ENERGY = """\
part       energy   share
MAC f16   12.7 µJ  39.0 %
vector     210 nJ   0.6 %
NRAM       902 nJ   2.8 %
WRAM      12.5 µJ  38.3 %
DRAM      5.30 µJ  16.2 %
static    1.00 µJ   3.1 %
all       32.7 µJ
"""


def rendered(table: RenderableType) -> str:
    """A table as plain text, spaces at line ends left out."""
    stream = io.StringIO()
    Console(file=stream, width=80, highlight=False).print(table)
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def printed(report: RunReport, width: int) -> str:
    """The report as plain text, spaces at line ends left out."""
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=width, highlight=False))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


@pytest.mark.parametrize(("width", "layers"), [(80, NARROW), (120, WIDE)])
def test_the_tables(round_report: RunReport, width: int, layers: str) -> None:
    text = printed(round_report, width)
    assert text == HEAD + layers
    assert max(map(len, text.splitlines())) <= width


def test_energy_and_area_part_by_part(round_report: RunReport) -> None:
    energies, areas = (rendered(table) for table in cost_tables(round_report))
    assert energies == ENERGY
    assert areas.splitlines()[-1].split() == ["all", "2.80", "mm²"]


def test_no_costs_without_a_technology(round_report: RunReport) -> None:
    machine = replace(round_report.machine, technology=None)
    text = printed(replace(round_report, machine=machine), 80)
    assert "energy" not in text and "area" not in text


def test_long_names_do_not_break_the_table(small_report: RunReport) -> None:
    first, *rest = small_report.layers
    long = replace(first, label="a convolution with a very long name " * 3)
    text = printed(replace(small_report, layers=(long, *rest)), 80)
    assert "…" in text
    assert max(map(len, text.splitlines())) <= 80


def test_no_colour_codes_on_a_pipe(round_report: RunReport, capsys: pytest.CaptureFixture) -> None:
    print_report(round_report)
    assert "\x1b" not in capsys.readouterr().out
