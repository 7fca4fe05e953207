"""A Ray cluster gives the table that processes give, also when a worker dies."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.cluster import kill_a_worker, two_nodes
from zhisuan.base.errors import ZhisuanError
from zhisuan.cli import main
from zhisuan.explore import sweep
from zhisuan.explore.sweep_file import load

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is an extra: pip install -e '.[ray]'"
)


@needs_ray
def test_two_nodes_give_the_same_table_though_a_worker_dies(sweep_file: Path) -> None:
    text = sweep_file.read_text().replace("step = 100", "step = 2")  # 606 points
    sweep_file.write_text(text)
    wanted, folder = load(sweep_file), sweep_file.parent
    sweep.run(wanted, folder / "processes", jobs=2)
    table = folder / "cluster" / "results.csv"
    with two_nodes() as (address, raylets):
        killed: list[int] = []
        killer = Thread(target=lambda: killed.append(kill_a_worker(raylets, table, 1)))
        killer.start()
        sweep.run(wanted, folder / "cluster", ray=address)
        killer.join()
        assert killed[0]
        whole = table.read_bytes()
        assert (folder / "processes" / "results.csv").read_bytes() == whole
        table.write_bytes(whole[: len(whole) // 2])
        again = sweep.run(wanted, folder / "cluster", ray=address, resume=True)
    assert 0 < again.resumed < 606 and table.read_bytes() == whole


@needs_ray
def test_an_address_where_nobody_is(sweep_file: Path) -> None:
    with pytest.raises(ZhisuanError, match="the Ray cluster does not answer"):
        sweep.run(load(sweep_file), sweep_file.parent / "out", ray="localhost:no-port")


def test_without_ray_the_error_says_how_to_get_it(
    sweep_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ZhisuanError) as caught:
        sweep.run(load(sweep_file), sweep_file.parent / "out", ray="local")
    assert caught.value.what == "Ray is not installed"
    assert caught.value.hint == "pip install -e '.[ray]' in the clone, or sweep without --ray"


def test_processes_are_not_counted_for_a_cluster(
    sweep_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["sweep", str(sweep_file), "--ray", "10.0.0.1:6379", "--jobs", "2"])
    assert left.value.code == 1
    assert "--jobs does not say how many processes a cluster has" in capsys.readouterr().err
