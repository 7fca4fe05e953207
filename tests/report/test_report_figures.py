"""Derived figures: sums, ratios and what dominates; and that nothing is counted twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zhisuan.base.errors import VerifyError
from zhisuan.report import quantities as q
from zhisuan.report.model import (
    Layer,
    RunReport,
    layer_figures,
    layers_of_trace,
    to_json,
    total_figures,
)


def test_figures_of_a_layer_with_two_launches(round_report: RunReport) -> None:
    conv = layer_figures(round_report)[0]
    assert conv.cycles == 4000
    assert conv.milliseconds == pytest.approx(0.004)
    assert conv.utilisation == 3_072_000 / (4000 * 1536) == 0.5
    assert (conv.dram_read, conv.dram_written) == (100_000, 20_000)
    assert conv.intensity == pytest.approx(25.6)
    assert conv.rate == pytest.approx(3_072_000 / 4e-6)
    assert conv.busy_share("mfu") == 2500 / 4000
    assert conv.busiest == "mfu"
    assert conv.main_stall == ("sync", 0.25)


def test_a_layer_without_macs_has_no_utilisation(round_report: RunReport) -> None:
    norm = layer_figures(round_report)[1]
    assert (norm.utilisation, norm.intensity, norm.rate) == (0, 0, 0)
    assert norm.busiest == "io"
    assert norm.main_stall == ("launch", 0.3)


def test_layers_add_up_to_the_whole(small_report: RunReport) -> None:
    layers, whole = layer_figures(small_report), total_figures(small_report)
    assert sum(f.cycles for f in layers) == whole.cycles == small_report.timing.total
    assert sum(f.dram_read for f in layers) == whole.dram_read
    for unit, causes in whole.by_cause.items():
        assert sum(causes.values()) == whole.cycles
        assert sum(sum(f.by_cause[unit].values()) for f in layers) == whole.cycles


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ((Layer("a", (0, 1), 0),), "2 claims, launches without a layer: [2]"),
        (
            (Layer("a", (0, 1), 0), Layer("b", (1, 2), 0)),
            "4 claims, launches without a layer: []",
        ),
    ],
)
def test_every_launch_is_in_one_layer(
    round_report: RunReport, layers: tuple[Layer, ...], found: str
) -> None:
    with pytest.raises(VerifyError) as caught:
        layer_figures(replace(round_report, layers=layers))
    assert str(caught.value) == (
        "error: the layers do not cover the launches of the trace\n"
        "  expected: each of launches 0 to 2 in exactly one layer\n"
        f"  found:    {found}"
    )


def test_layers_from_labels_alone() -> None:
    layers = layers_of_trace(["a", "a", "b", "a"], {"b": 5})
    assert layers == (Layer("a", (0, 1), 0), Layer("b", (2,), 5), Layer("a", (3,), 0))


def test_json_has_every_figure(round_report: RunReport) -> None:
    data = to_json(round_report)
    assert data["total"]["cycles"] == sum(layer["cycles"] for layer in data["layers"]) == 5000
    assert data["layers"][0]["main_stall"] == {"cause": "sync", "share": 0.25}
    assert data["host_seconds"] == {"compile": 0.412, "simulate": 2.5, "time": 0.031}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (q.scaled(0, "B"), "0 B"),
        (q.scaled(999, "B"), "999 B"),
        (q.scaled(999.9, "B"), "1.00 kB"),
        (q.scaled(1.27e9, "MAC"), "1.27 GMAC"),
        (q.scaled(99_960, "B"), "100 kB"),
        (q.percent(0), "0.0 %"),
        (q.percent(0.0002), "<0.1 %"),
        (q.percent(0.3125), "31.2 %"),
        (q.clock(1_000_000_000), "1 GHz"),
        (q.clock(606_000_000), "606 MHz"),
        (q.seconds(0.031), "31 ms"),
        (q.seconds(2.54), "2.5 s"),
        (q.count(1234567.0), "1,234,567"),
    ],
)
def test_numbers_as_people_read_them(text: str, expected: str) -> None:
    assert text == expected
