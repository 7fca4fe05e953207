"""The main job end to end: values against onnxruntime, proof that the chip computed them, and
what the machine description may and may not change."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load_file, save_file

from zhisuan import pipeline
from zhisuan.arch.load import PRESETS
from zhisuan.arch.load import load as load_machine
from zhisuan.frontend import photo
from zhisuan.graph.rewrite import optimize
from zhisuan.isa.registry import Unit
from zhisuan.isa.table import BY_OPCODE
from zhisuan.lower import Lowered, lower
from zhisuan.models import style
from zhisuan.report.model import layer_figures, total_figures
from zhisuan.runtime import plan as plans
from zhisuan.runtime.device import play
from zhisuan.sim.memory import Memory
from zhisuan.sim.timing import replay

MACHINE = load_machine("dlp-s")
SIZE = (52, 79)  # odd on purpose: the network rounds up to 52 × 80
LEAST_DB = 40.0


def inputs(height: int, width: int, number: int) -> dict[str, np.ndarray]:
    picture = photo.load(photo.default_photo(), (height, width), style.SMALLEST_SIDE)
    return {"image": photo.to_tensor(picture), "style_weights": style.style_vector(number)}


def psnr(ours: np.ndarray, theirs: np.ndarray) -> float:
    error = np.mean((ours.astype(np.float64) - theirs.astype(np.float64)) ** 2)
    return float(10 * np.log10(1 / error)) if error else float("inf")


@pytest.fixture(scope="module")
def network() -> Lowered:
    return lower(optimize(style.load()), {"h": SIZE[0], "w": SIZE[1]}, MACHINE)


@pytest.fixture(scope="module")
def oracle() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(style.path()), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("emitted")
    pipeline.style(None, "3", f"{SIZE[0]}x{SIZE[1]}", emit=folder)
    yield folder


def run(network: Lowered, feeds: dict[str, np.ndarray]) -> np.ndarray:
    outputs, _ = play(network.plan, network.programs, network.constants, feeds, MACHINE)
    return outputs["stylized"]


@pytest.mark.parametrize("number", range(style.STYLE_COUNT))
def test_every_style_agrees_with_onnxruntime(
    network: Lowered, oracle: onnxruntime.InferenceSession, number: int
) -> None:
    feeds = inputs(*SIZE, number)
    (theirs,) = oracle.run(None, feeds)
    assert psnr(run(network, feeds), np.asarray(theirs)) >= LEAST_DB


@pytest.mark.parametrize("size", [(203, 317), (256, 256)])
def test_larger_pictures_agree_with_onnxruntime(
    oracle: onnxruntime.InferenceSession, size: tuple[int, int]
) -> None:
    network = lower(optimize(style.load()), {"h": size[0], "w": size[1]}, MACHINE)
    for number in (5, 15):
        feeds = inputs(*size, number)
        (theirs,) = oracle.run(None, feeds)
        assert psnr(run(network, feeds), np.asarray(theirs)) >= LEAST_DB


def test_every_operator_is_a_launch_and_the_host_writes_only_inputs(
    network: Lowered, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[int, int]] = []
    original = Memory.write

    def watched(self: Memory, address: int, values: np.ndarray) -> None:
        written.append((address, values.nbytes))
        original(self, address, values)

    monkeypatch.setattr(Memory, "write", watched)
    plan = network.plan
    feeds = inputs(*SIZE, 1)
    _, trace = play(plan, network.programs, network.constants, feeds, MACHINE)
    given = {(b.address, b.size) for b in (*plan.by_role("input"), *plan.by_role("constant"))}
    assert {w for w in written if w[0] >= min(a for a, _ in given)} == given

    graph = optimize(style.load())
    computing = [node for node in graph.nodes if node.op != "slice1d"]  # a slice is a view
    assert {node.label for node in computing} == {launch.label for launch in trace.launches}
    assert [launch.label for launch in trace.launches] == [x.label for x in plan.launches]
    for index, launch in enumerate(trace.launches):
        opcodes = set(trace.opcode[trace.launch == index].tolist())
        units = {BY_OPCODE[opcode].unit for opcode in opcodes if opcode}
        works = {Unit.VFU, Unit.MFU} if plan.launches[index].op != "resize_nearest" else {Unit.MOVE}
        assert units & works, f"{launch.label} computes nothing"
        assert Unit.IO in units, f"{launch.label} moves nothing"


REPLAY = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        banned = ("zhisuan.graph", "zhisuan.frontend", "zhisuan.models", "zhisuan.lower",
                  "zhisuan.bcl", "zhisuan.kernels", "onnx", "onnxruntime")
        if any(name == b or name.startswith(b + ".") for b in banned):
            raise ImportError(f"{name} is refused here")
sys.meta_path.insert(0, Refuse())
from pathlib import Path
import numpy as np
from zhisuan.pipeline import run_plan
folder = Path(sys.argv[1])
(plan,) = folder.glob("*.plan")
done = run_plan(plan)
np.save(sys.argv[2], done.outputs["stylized"])
"""


def replay_elsewhere(folder: Path, result: Path) -> np.ndarray:
    """Play the emitted plan in a process that cannot import the graph, or onnxruntime."""
    subprocess.run([sys.executable, "-c", REPLAY, str(folder), str(result)], check=True)
    return np.load(result)


def test_the_plan_replays_to_the_same_bits_without_the_graph(emitted: Path, tmp_path: Path) -> None:
    first = load_file(emitted / "outputs.safetensors")["stylized"]
    again = replay_elsewhere(emitted, tmp_path / "again.npy")
    assert again.dtype == np.float16 and again.tobytes() == first.tobytes()


def test_one_weight_changes_the_picture(emitted: Path, tmp_path: Path) -> None:
    (data,) = emitted.glob("*.data.safetensors")
    before = data.read_bytes()
    constants = load_file(data)
    name = next(key for key in constants if key.startswith("res.2.0.w"))
    weights = constants[name].view(np.float16).copy()
    weights[np.argmax(np.abs(weights))] *= -1
    save_file({**constants, name: weights.view(np.uint8)}, data)
    try:
        changed = replay_elsewhere(emitted, tmp_path / "changed.npy")
    finally:
        data.write_bytes(before)
    assert not np.array_equal(changed, load_file(emitted / "outputs.safetensors")["stylized"])


def test_every_emitted_program_assembles_to_the_same_words(emitted: Path) -> None:
    programs = sorted(emitted.glob("*.dlp"))
    assert programs
    for binary in programs:
        first = pipeline.load_program(binary)
        assert pipeline.load_program(binary.with_suffix(".dlps")).to_bytes() == first.to_bytes()
        source = binary.with_name(binary.name.replace("05-", "04-")).with_suffix(".bcl")
        again = pipeline.load_program(source)
        assert np.array_equal(again.words, first.words)


def test_the_emitted_graph_runs_to_the_same_bits(emitted: Path) -> None:
    first = load_file(emitted / "outputs.safetensors")["stylized"]
    for graph in emitted.glob("*.graph"):
        done = pipeline.run_graph(graph)
        assert done.outputs["stylized"].tobytes() == first.tobytes()


def test_two_runs_are_identical(network: Lowered) -> None:
    feeds = inputs(*SIZE, 11)
    args = (network.plan, network.programs, network.constants, feeds, MACHINE)
    (a, trace_a), (b, trace_b) = play(*args), play(*args)
    assert a["stylized"].tobytes() == b["stylized"].tobytes()
    for column in ("launch", "pc", "opcode", "mode", "a"):
        assert np.array_equal(getattr(trace_a, column), getattr(trace_b, column))
    assert replay(trace_a, MACHINE).total == replay(trace_b, MACHINE).total


def test_dram_bandwidth_changes_cycles_and_not_a_bit(network: Lowered) -> None:
    slow = replace(
        MACHINE, dram=replace(MACHINE.dram, bytes_per_second=MACHINE.dram.bytes_per_second // 4)
    )
    feeds = inputs(*SIZE, 2)
    args = (network.plan, network.programs, network.constants, feeds)
    (a, trace), (b, _) = play(*args, MACHINE), play(*args, slow)
    assert a["stylized"].tobytes() == b["stylized"].tobytes()
    assert replay(trace, slow).total > replay(trace, MACHINE).total


def test_planning_for_another_bandwidth_does_not_change_the_picture(tmp_path: Path) -> None:
    text = (PRESETS / "dlp-s.toml").read_text()
    slow = tmp_path / "slow.toml"
    slow.write_text(text.replace("102_400_000_000", "12_800_000_000"))
    for size in ("96x131", "256x256"):
        fast_run = pipeline.style(None, "9", size)
        slow_run = pipeline.style(None, "9", size, machine=str(slow))
        assert fast_run.picture.tobytes() == slow_run.picture.tobytes()
        assert slow_run.report.timing.total > fast_run.report.timing.total


def test_utilisation_at_256() -> None:
    """The graph's MACs over cycles × 1536: the targets of the mapping."""
    report = pipeline.style(None, "0", "256x256").report
    layers = {figures.label: figures for figures in layer_figures(report)}
    total = total_figures(report)
    assert sum(figures.cycles for figures in layers.values()) == report.timing.total
    assert total.macs == 1_271_686_284
    assert total.utilisation >= 0.25
    wide = [f"contract.{i}" for i in range(3)] + [f"res.{i}.{j}" for i in range(6) for j in (0, 1)]
    for name in wide:
        assert layers[name].utilisation >= 0.40, name


def test_plan_text_reads_back(network: Lowered) -> None:
    assert plans.loads(plans.dumps(network.plan)) == network.plan
