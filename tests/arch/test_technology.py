"""Coefficients of energy and area: values of the tables at their nodes, sane between them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from textwrap import dedent

import pytest

from zhisuan.arch.area import area
from zhisuan.arch.check import MATRIX_TYPES
from zhisuan.arch.load import load, preset_names, vary
from zhisuan.arch.technology import (
    dram_byte,
    dram_kinds,
    log_line,
    memory_area,
    memory_byte,
    multiply_add,
    operation,
    tables,
)
from zhisuan.base.errors import ZhisuanError

NODES = (5, 7, 12, 16, 28, 45, 65, 90)


def entries(table: object) -> list[dict[str, object]]:
    """All { value, source } below `table`."""
    if not isinstance(table, dict):
        return []
    if "value" in table:
        return [table]
    return [entry for inner in table.values() for entry in entries(inner)]


def test_every_coefficient_is_a_whole_number_with_a_source() -> None:
    found = entries(tables())
    assert len(found) > 30
    for entry in found:
        assert isinstance(entry["value"], int)
        assert entry["source"]


def test_the_published_values() -> None:
    assert operation("multiply_f16", 45) == 1_100
    assert operation("multiply_i8", 7) == 70
    assert multiply_add("f32", 45) == 3_700 + 900
    assert memory_byte(32 << 10, 45) == 20_000 // 8
    assert memory_byte(32 << 10, 45, 128) == 20_000 * 4 // 128  # 16 times as wide
    assert dram_byte("LPDDR4") == 64_000


def test_between_the_nodes_a_log_log_line() -> None:
    points = {10: 100.0, 1000: 10_000.0}
    assert log_line(points, 100) == pytest.approx(1000)
    assert log_line(points, 1) == pytest.approx(10)  # and beyond them
    assert log_line(points, 10_000) == pytest.approx(100_000)
    assert log_line({7: 3.0}, 45) == 3.0


@pytest.mark.parametrize("kind", MATRIX_TYPES)
def test_a_smaller_node_is_cheaper(kind: str) -> None:
    costs = [multiply_add(kind, node) for node in NODES]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_larger_memories_and_wider_types_cost_more() -> None:
    for node in NODES:
        sizes = [memory_byte(1 << size, node) for size in range(10, 25)]
        assert sizes == sorted(sizes)
        assert multiply_add("i4", node) < multiply_add("i8", node) < multiply_add("i16", node)
        assert multiply_add("f16", node) < multiply_add("f32", node)
    for small, large in pairwise(NODES):
        assert memory_byte(1 << 20, small) < memory_byte(1 << 20, large)
        assert memory_area(1 << 20, small) < memory_area(1 << 20, large)


def test_the_area_grows_with_every_part() -> None:
    machine = load("mlu270")
    whole = sum(area(machine).values())
    for change in (
        {"nram.size": 1 << 20}, {"wram.size": 1 << 21}, {"sram.size": 1 << 22},
        {"matrix.elements": 128}, {"matrix.lanes_f16": 48}, {"vector.bytes_per_cycle": 256},
        {"chip.clusters": 8}, {"technology.node_nm": 28},
    ):  # fmt: skip
        assert sum(area(vary(machine, change)).values()) > whole, change
    halved = vary(machine, {"chip.clusters": 2})
    assert sum(area(halved).values()) == pytest.approx(whole / 2)


def test_presets_have_areas() -> None:
    for name in preset_names():
        machine = load(name)
        if machine.technology is not None:
            assert machine.technology.dram in dram_kinds()
            assert 1 < sum(area(machine).values()) < 1000


def test_a_machine_without_a_technology() -> None:
    with pytest.raises(ZhisuanError) as caught:
        area(load("course-core"))
    assert str(caught.value) == dedent("""\
        error: the area of course-core is unknown
          expected: [technology] with node_nm, dram, static_microwatts_per_mm2
          found:    a machine without [technology]
          try:      copy the section from a preset, such as dlp-s""")


def test_a_node_that_the_tables_do_not_reach() -> None:
    with pytest.raises(ZhisuanError) as caught:
        vary(load("dlp-s"), {"technology.node_nm": 3})
    assert str(caught.value) == dedent("""\
        error: the technology tables do not reach this node
          where:    dlp-s
          expected: 5 to 90
          found:    technology.node_nm = 3""")


def test_an_unknown_kind_of_dram() -> None:
    machine = load("dlp-s")
    assert machine.technology is not None
    with pytest.raises(ZhisuanError) as caught:
        vary(machine, {"technology.dram": "DDR9"})
    assert str(caught.value) == dedent("""\
        error: technology.dram names something unknown
          where:    dlp-s
          expected: LPDDR4, DDR3, DDR4, GDDR5, HBM2
          found:    'DDR9'""")
    assert replace(machine, technology=None).technology is None
