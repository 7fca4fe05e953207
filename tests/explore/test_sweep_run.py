"""Whole sweeps: the same table however it was computed, also after kill -9."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zhisuan.arch.describe import vary
from zhisuan.arch.load import load as load_machine
from zhisuan.base.errors import ZhisuanError
from zhisuan.cli import main
from zhisuan.explore import sweep, workers
from zhisuan.explore.point import points
from zhisuan.explore.sweep_file import load, parse
from zhisuan.graph.ir import Graph
from zhisuan.graph.rewrite import optimize
from zhisuan.lower import lower
from zhisuan.pipeline import execute

COMMAND = [sys.executable, "-c", "from zhisuan.cli import main; main()", "sweep"]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_is_what_a_run_on_the_machine_gives(sweep_file: Path, small: Graph) -> None:
    out = sweep_file.parent / "out"
    done = sweep.run(load(sweep_file), out)
    assert len(rows_of(out / "results.csv")) == len(done.rows) == 18
    for row in rows_of(out / "results.csv")[::7]:
        changes = {key: int(value) for key, value in row.items() if "." in key}
        machine = vary(load_machine("dlp-s"), changes)
        lowered = lower(optimize(small), {}, machine)
        zeros = {b.name: 0 * lowered_input(b.shape) for b in lowered.plan.by_role("input")}
        run = execute(lowered.plan, lowered.programs, lowered.constants, zeros, machine)
        assert int(row["cycles"]) == run.report.timing.total
        assert float(row["milliseconds"]) == pytest.approx(run.report.timing.total / 1e6, 1e-5)
        assert float(row["utilisation"]) > 0 and float(row["millijoules"]) > 0
    best = rows_of(out / "front.csv")
    assert 0 < len(best) < 18 and all(row in done.rows for row in best)
    assert (out / "pareto.svg").read_text().count("<circle") == 18
    assert done.bases["small"]["point"] == "dlp-s" and done.bases["small"]["cycles"]


def lowered_input(shape: tuple[int, ...]):  # type: ignore[no-untyped-def]
    import numpy as np

    return np.ones(shape, np.float32)


def test_processes_and_interruptions_change_nothing(sweep_file: Path) -> None:
    wanted, folder = load(sweep_file), sweep_file.parent
    sweep.run(wanted, folder / "one")
    sweep.run(wanted, folder / "two", jobs=2)
    table = (folder / "one" / "results.csv").read_bytes()
    assert (folder / "two" / "results.csv").read_bytes() == table
    (folder / "two" / "results.csv").write_bytes(table[: len(table) // 2])
    again = sweep.run(wanted, folder / "two", resume=True)
    assert 0 < again.resumed < 18
    assert (folder / "two" / "results.csv").read_bytes() == table
    assert sweep.run(wanted, folder / "two", resume=True).resumed == 18


def test_machines_that_cannot_be_have_a_row_too(sweep_file: Path) -> None:
    text = sweep_file.read_text()
    text = text.replace("from = 98304", "from = 49152").replace("[8, 24]", "[0, 24]")
    done = sweep.run(parse(text, sweep_file), sweep_file.parent / "out")
    reasons = {row["impossible"] for row in done.rows}
    assert reasons == {
        "",
        "the stack must leave room in NRAM",
        "the matrix unit of dlp-s does not multiply f16",
    }
    assert all(bool(row["cycles"]) != bool(row["impossible"]) for row in done.rows)
    assert len(done.rows) == 24 and len([r for r in done.rows if r["cycles"]]) == 9


def test_a_saved_trace_beside_its_network(sweep_file: Path, small: Graph) -> None:
    from zhisuan.explore.program import Planned

    trace = Planned(optimize(small), {}).run(load_machine("dlp-s")).trace
    trace.save(sweep_file.parent / "small.trace")
    text = '[vary]\nqueues.window = [1, 8]\n[program.a]\nmodel = "small.graph"\n'
    text += '[program.b]\ntrace = "small.trace"\n'
    a1, b1, a8, b8 = sweep.run(parse(text, sweep_file), sweep_file.parent / "out").rows
    assert a1["cycles"] == b1["cycles"] != a8["cycles"] == b8["cycles"]
    assert a8["utilisation"] and not b8["utilisation"]
    assert a8["millijoules"] == b8["millijoules"]


def test_a_worker_that_dies_is_an_error(sweep_file: Path) -> None:
    wanted = load(sweep_file)
    (sweep_file.parent / "small.graph").unlink()
    batches = [[point] for point in points(wanted)]
    with pytest.raises(ZhisuanError, match="ended before its work was done"):
        list(workers.rows(batches, wanted.machine, wanted.programs, 2))


def children_of(process: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{process}/task").glob("*/children")
        for child in task.read_text().split()
    ]


def alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_kill_minus_nine_loses_and_repeats_nothing(sweep_file: Path) -> None:
    text = sweep_file.read_text().replace("step = 100", "step = 8")  # 156 points
    sweep_file.write_text(text)
    out = sweep_file.parent / "killed"
    table = out / "results.csv"
    before: list[str] = []
    for enough in (1, 40):
        command = [*COMMAND, str(sweep_file), "-o", str(out), "--jobs", "2", "--resume"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        while not table.exists() or table.read_bytes().count(b"\n") < len(before) + 1 + enough:
            assert process.poll() is None, process.communicate()[1].decode()
            time.sleep(0.002)
        workers_alive = children_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        found = table.read_bytes()
        lines = found[: found.rfind(b"\n") + 1].decode().splitlines()
        assert lines[: len(before)] == before
        before = lines
        deadline = time.monotonic() + 20
        while any(alive(worker) for worker in workers_alive):
            assert time.monotonic() < deadline, "workers outlive their parent"
            time.sleep(0.02)
    assert 40 < len(before) < 156
    done = sweep.run(load(sweep_file), out, jobs=1, resume=True)
    assert done.resumed == len(before) - 1
    after = table.read_text().splitlines()
    assert set(before) <= set(after)
    assert [line.split(",")[0] for line in after] == ["point", *map(str, range(156))]
    sweep.run(load(sweep_file), sweep_file.parent / "whole", jobs=1)
    assert (sweep_file.parent / "whole" / "results.csv").read_bytes() == table.read_bytes()


def test_the_command(
    sweep_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(sweep_file.parent)
    for arguments, code in ((["--jobs", "1"], 0), ([], 1), (["--resume"], 0)):
        with pytest.raises(SystemExit) as left:
            main(["sweep", sweep_file.name, *arguments])
        assert left.value.code == code, capsys.readouterr().err
        said = capsys.readouterr()
        if code:
            assert "--resume to go on with that sweep" in said.err
        else:
            assert "small: " in said.out and " on the Pareto front" in said.out
            assert "dlp-s" in said.out and "tries/pareto.svg" in said.out
    assert "18 points, 18 of them from before; 0 impossible" in said.out
