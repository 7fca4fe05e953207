"""What is shown of the sweeps: the right rows, and the best arrangement of cores."""

from __future__ import annotations

import pytest

from benchmarks import sweeps
from zhisuan.explore.sweep import Outcome


def row(point: str, milliseconds: float, millijoules: float, area: float) -> dict[str, str]:
    values = (point, f"{milliseconds}", f"{millijoules}", f"{area}")
    return dict(zip(("point", *sweeps.OBJECTIVES), values, strict=True))


def test_the_best_of_each_kind_are_shown() -> None:
    base = row("dlp-s", 2, 6, 3)
    front = [row("0", 1, 9, 9), row("1", 1.5, 5, 2.5), row("2", 1.9, 4, 2), row("3", 9, 9, 1)]
    outcome = Outcome((), {"style": front}, {"style": base}, 0, ())
    found = sweeps.choices(base, front)
    assert [found[name]["point"] for name in found] == ["dlp-s", "0", "2", "3", "2"]
    table = sweeps.variants_table(sweeps.Done(outcome, 1, 1, 0, ["point"]), "style").splitlines()
    assert len(table) == 2 + 5
    assert table[-1] == "| better than dlp-s in everything, least area | 2 | 1.9 | 4 | 2 |"
    assert len(sweeps.choices(row("dlp-s", 1, 1, 1), front)) == 4


def test_arrangements_of_cores() -> None:
    rows = [
        {sweeps.CLUSTERS: clusters, sweeps.PER_CLUSTER: per_cluster, sweeps.BANDWIDTH: rate,
         "milliseconds": milliseconds}
        for clusters, per_cluster, rate, milliseconds in (
            ("1", "1", "51200000000", "10"), ("1", "4", "51200000000", "5"),
            ("4", "1", "51200000000", "4"), ("4", "1", "102400000000", "3"),
            ("1", "1", "102400000000", "8"),
        )
    ]  # fmt: skip
    assert sweeps.cores_table(rows).splitlines() == [
        "| cores | 51.2 GB/s | 102.4 GB/s |",
        "|---:|---:|---:|",
        "| 1 | 10.00 | 8.00 |",
        "| 4 | 4.00 | 3.00 |",
    ]
    assert sweeps.spread(rows) == pytest.approx(0.25)
