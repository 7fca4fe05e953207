"""What the comparison with the CPU takes for granted, and how it says what came out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from benchmarks import __main__ as bench
from benchmarks import bars, chip, cpu, headline, networks, scaling, vgg
from zhisuan.arch.load import load
from zhisuan.graph.reference import run
from zhisuan.models import vgg16

GENOA = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC

processor\t: 1
model name\t: the second one
"""


def test_a_cpu_is_found_by_family_and_model() -> None:
    found = cpu.identify(GENOA)
    assert (found.name, found.family, found.model) == ("AMD EPYC", 25, 17)
    assert found.series is not None and found.series.name == "EPYC 9634 (Genoa)"
    assert found.series.watts_per_core == pytest.approx(290 / 84)
    assert cpu.identify(GENOA.replace(": 17", ": 97")).series is None
    assert cpu.identify("").series is None
    assert "energy is left out" in headline.assumptions(cpu.identify(""))


def test_counters_are_read_where_they_can_be(tmp_path: Path) -> None:
    assert cpu.counted_joules(tmp_path) is None
    for package, energy in enumerate((3_000_000, 1_500_000)):
        (tmp_path / f"intel-rapl:{package}").mkdir()
        (tmp_path / f"intel-rapl:{package}" / "energy_uj").write_text(f"{energy}\n")
    (tmp_path / "intel-rapl:0:0").mkdir()  # a part of package 0, counted in it
    assert cpu.counted_joules(tmp_path) == 4.5
    (tmp_path / "intel-rapl:2").mkdir()  # as where only root may read
    assert cpu.counted_joules(tmp_path) is None


def test_time_of_others_is_told_apart() -> None:
    spent = cpu.timed(lambda: sum(range(10**6)))
    assert spent.seconds > 0 and 0 <= spent.others <= 1.5


def comparison(joules: float | None) -> headline.Comparison:
    fast = chip.ChipRun(load("mlu270"), "FP16", 2_000_000, 0.02, 16_000_000_000, 16)
    slow = chip.ChipRun(load("mobile"), "FP16", 93_750_000, 0.5, 16_000_000_000, 1)
    host = headline.CpuRun("somebody", 0.3, joules, 0.05)
    return headline.Comparison("net", 16_000_000_000, host, (fast, slow), ("too large",))


def test_ratios_and_what_is_said_of_them() -> None:
    lines = headline.table([comparison(1.0)]).splitlines()
    assert lines[2] == "| net | this CPU, somebody, FP32 | 2 | 300 | 1 | 3.33 | 1 | 1 |".replace(
        "| 2 |", f"| {cpu.threads()} |"
    )
    assert lines[3].split(" | ")[3] == "1000"
    assert lines[4] == "|  | `mlu270`, FP16 | 16 of 16 | 2 | 0.02 | 10 | 150 | 50 |"
    assert lines[5] == "|  | `mobile`, FP16 | 1 of 1 | 100 | 0.5 | 5 | 3 | 2 |"
    assert headline.reading([comparison(1.0)]).splitlines() == [
        "- net on `mlu270`, FP16: 150 times this CPU's speed, as claimed; 50 times less energy, as "
        "claimed; 500 times the old core's peak, as claimed.",
        "- net on `mobile`, FP16: 3 times this CPU's speed; 2 times less energy; 10 times the old "
        "core's peak.",
        "- Left out: too large.",
    ]


def test_a_cpu_whose_power_is_not_known() -> None:
    unknown = comparison(None)
    assert "energy" not in headline.reading([unknown])
    assert headline.table([unknown]).splitlines()[4].endswith("| 150 | – |")
    assert "not known" in headline.picture([unknown])


def test_bars_end_where_their_ratios_are() -> None:
    drawn = bars.draw([bars.Panel("speed", 100, [("a < b", 10), ("c", 0.1)])])
    width = (bars.WIDTH - bars.LEFT - bars.RIGHT) / 3  # a decade, from 0.1 to 100
    assert drawn.count(f'width="{width:.1f}"') == 2
    assert "a &lt; b" in drawn and "the claim: 100×" in drawn


def test_the_cpu_computes_the_same_network() -> None:
    graph = vgg16.build(vgg16.random_weights(), 32, hidden=16)
    image = np.random.default_rng(2).standard_normal((1, 3, 32, 32), np.float32)
    (expected,) = run(graph, {"image": image}).values()
    model = onnxruntime.InferenceSession(networks.onnx_model(graph))
    (found,) = model.run(None, {"image": image})
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-3, atol=1e-4)


def test_the_slope_of_a_cost() -> None:
    costs = [scaling.Cost(side, side**2, 3e-9 * side**2, 0, 0) for side in (10, 100, 1000)]
    assert scaling.slope(costs) == pytest.approx(1)


def test_a_precision_that_is_not_there_is_said() -> None:
    run = chip.ChipRun(load("mlu270"), "FP16", 10**6, 0.1, 10**9, 1)
    result = vgg.Comparison("somebody", 0.5, (vgg.Simulated(run, 0.4, 0.1, 10**9),), ("why",), 0)
    lines = vgg.table(result).splitlines()
    assert lines[2].startswith("| `mlu270`, FP16 | 1 of 16 | 0.400 | 0.100 | 1.00 | ≤ 2 | 1.00 |")
    assert lines[-1] == "Left out: why."


def test_a_part_measured_again_leaves_the_others_alone() -> None:
    page = bench.page_of({"VGG16": "old", "Accuracy": "a\n\n| b |", "Host speed": "s"})
    found = bench.sections_of(page)
    assert list(found) == ["Host speed", "VGG16", "Accuracy"]
    found["VGG16"] = "new"
    again = bench.page_of(found)
    assert again == page.replace("old", "new")
    with pytest.raises(SystemExit, match="no measurement is called vgg: layers,"):
        bench.main(["vgg"])
