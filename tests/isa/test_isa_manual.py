"""docs/isa.md is the manual of the table; diagrams cover all 64 bits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zhisuan.isa.manual import cost_text, diagram, manual
from zhisuan.isa.registry import touched
from zhisuan.isa.table import BY_NAME, ROWS

PAGE = Path(__file__).parents[2] / "docs" / "isa.md"


def test_the_page_is_up_to_date(request: pytest.FixtureRequest) -> None:
    text = manual()
    if request.config.getoption("--update-golden"):
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, "run pytest tests/isa --update-golden"


def test_every_row_has_a_section_with_its_opcode() -> None:
    text = manual()
    for row in ROWS:
        assert f"### {row.mnemonic}\n" in text
        assert f"0x{row.opcode:03x}  |" in text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_diagram_names_every_bit_once(row) -> None:  # type: ignore[no-untyped-def]
    bits = [int(number) for number in re.findall(r"\d+", diagram(row).split("\n")[0])]
    assert bits[0] == 63 and bits[-1] == 0
    assert all(low - 1 == top for low, top in zip(bits[1:-1:2], bits[2::2], strict=True))


def test_a_diagram_in_full() -> None:
    assert diagram(BY_NAME["SADD#"]) == (
        " 63           28  27   22  21   16  15   10  9     0\n"
        "+----------------+--------+--------+--------+--------+\n"
        "|       b        |   a    |   d    |  mode  | 0x081  |\n"
        "+----------------+--------+--------+--------+--------+"
    )


def test_costs_in_words() -> None:
    assert cost_text(BY_NAME["SADD"]) == "`scalar.alu` cycles of the decoder"
    assert cost_text(BY_NAME["VDV"]) == (
        "max(1, ceil(n · bytes of the wider element / `vector.bytes_per_cycle`)) · "
        "`vector.divide_passes` cycles; visible `vector.latency` cycles later"
    )


def test_touched_operands_come_from_the_rows() -> None:
    assert touched(BY_NAME["CONV"]) == (["dst"], ["src", "weight"])
    assert touched(BY_NAME["VCADD"]) == (["dst"], ["a", "seg"])
    assert touched(BY_NAME["VLOAD3"]) == (["dst"], ["src"])
    assert touched(BY_NAME["SADD"]) == ([], [])
