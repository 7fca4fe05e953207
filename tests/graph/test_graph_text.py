"""Text form: what it looks like, what it refuses, and the pair of files on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zhisuan.base.dtype import F32, dtype
from zhisuan.base.errors import ZhisuanError
from zhisuan.graph import text
from zhisuan.graph.build import GraphBuilder
from zhisuan.graph.dims import symbol
from zhisuan.graph.ir import Graph


def tiny() -> Graph:
    build = GraphBuilder("tiny")
    x = build.input("x", F32, (1, 3, symbol("h"), symbol("w")))
    two = build.constant("two", np.array(2, np.float32))
    w = build.constant("w 1", np.arange(54, dtype=np.float32).reshape(2, 3, 3, 3))
    attrs = {"pads": (1, 1, 1, 1), "pad_mode": "reflect", "strides": (2, 2)}
    c = build.node("conv2d", [x, w], attrs, output="c", label="first")
    y = build.node("mul", [c, two], output="y", label="twice")
    return build.finish([y])


TINY = """graph "tiny" {
  input %x : f32[1, 3, h, w]
  const %two : f32[] = 2.0
  const %"w 1" : f32[2, 3, 3, 3] = stored
  %c : f32[1, 2, (h + 1)//2, (w + 1)//2] = conv2d(%x, %"w 1") {strides = [2, 2], \
pads = [1, 1, 1, 1], pad_mode = "reflect"} @ "first"
  %y : f32[1, 2, (h + 1)//2, (w + 1)//2] = mul(%c, %two) @ "twice"
  output %y
}
"""


def test_the_text_is_this() -> None:
    assert text.dumps(tiny()) == TINY


def test_spaces_comments_and_blank_lines_do_not_matter() -> None:
    graph = tiny()
    loose = TINY.replace("  ", "\t ").replace("graph", "# a comment\n\ngraph", 1)
    assert text.dumps(text.loads(loose, text.stored_constants(graph))) == TINY


@pytest.mark.parametrize("element", ["i8", "u64", "i64", "bool", "f16", "f32", "f64"])
def test_inline_numbers_keep_their_bits(element: str) -> None:
    kind = dtype(element).numpy
    values = [0, 1] if element == "bool" else [0, 1, 127]
    if element.startswith("f"):
        values = [-0.0, 1 / 3, float("inf"), -float("inf"), 6e-8, 65504]
    if element.endswith("64") and element != "f64":
        values = [0, np.iinfo(kind).max, np.iinfo(kind).min]
    array = np.array(values, kind)
    build = GraphBuilder("numbers")
    build.constant("c", array)
    again = text.loads(text.dumps(build.finish(["c"])))
    assert again.constants["c"].tobytes() == array.tobytes()
    assert again.constants["c"].dtype == array.dtype


BAD = {
    "cut in a line": (
        TINY[: TINY.index("2.0")],
        "error: the line cannot be read\n"
        "  where:    net.graph:3:24\n"
        "      const %two : f32[] = \n"
        "                           ^\n"
        "  expected: a number, string or list\n"
        "  found:    the end of the line",
    ),
    "cut between lines": (
        'graph "tiny" {\n  input %x : f32[2]\n',
        "error: the graph breaks off\n"
        "  where:    net.graph:3:1\n"
        "  expected: a closing brace '}'\n"
        "  found:    the end of the line",
    ),
    "unknown attribute": (
        TINY.replace("pad_mode", "padmode"),
        "error: conv2d has no attribute 'padmode'\n"
        "  where:    net.graph:5:44\n"
        '      %c : f32[1, 2, (h + 1)//2, (w + 1)//2] = conv2d(%x, %"w 1") '
        '{strides = [2, 2], pads = [1, 1, 1, 1], padmode = "reflect"} @ "first"\n'
        "                                               ^\n"
        "  expected: strides, pads, pad_mode, dilations, groups, activation\n"
        '  found:    conv2d(%x, %"w 1") {strides =',
    ),
    "a rule broken": (
        TINY.replace("mul(%c, %two)", "mul(%c, %x)"),
        "error: mul: the shapes do not broadcast\n"
        "  where:    net.graph:6:44\n"
        '      %y : f32[1, 2, (h + 1)//2, (w + 1)//2] = mul(%c, %x) @ "twice"\n'
        "                                               ^\n"
        "  expected: sizes that are equal or 1, aligned at the right\n"
        "  found:    [1, 2, (h + 1)//2, (w + 1)//2] and [1, 3, h, w]",
    ),
    "value twice": (
        TINY.replace("%y :", "%c :"),
        "error: a value is made twice\n"
        "  where:    net.graph:6:3\n"
        '      %c : f32[1, 2, (h + 1)//2, (w + 1)//2] = mul(%c, %two) @ "twice"\n'
        "      ^\n"
        "  expected: one definition\n"
        "  found:    %c : f32[1, 2, (h + 1)//2, (w",
    ),
    "number does not fit": (
        'graph "g" {\n  const %c : i8[2] = [1, 1.5]\n  output %c\n}\n',
        "error: the numbers do not fit the type\n"
        "  where:    net.graph:2:22\n"
        "      const %c : i8[2] = [1, 1.5]\n"
        "                         ^\n"
        "  expected: i8[2]\n"
        "  found:    [1, 1.5]",
    ),
    "something after the end": (
        TINY + "output %y\n",
        "error: nothing may follow the closing brace\n"
        "  where:    net.graph:9:1\n"
        "    output %y\n"
        "    ^\n"
        "  expected: the end of the text\n"
        "  found:    output %y",
    ),
    "not a graph": (
        "hello",
        "error: the line cannot be read\n"
        "  where:    net.graph:1:1\n"
        "    hello\n"
        "    ^\n"
        "  expected: 'graph'\n"
        "  found:    hello",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_text_is_refused_at_its_place(kind: str) -> None:
    source, message = BAD[kind]
    with pytest.raises(ZhisuanError) as caught:
        text.loads(source, text.stored_constants(tiny()), "net.graph")
    assert str(caught.value) == message


def test_every_truncation_is_refused() -> None:
    for length in range(len(TINY) - 2):
        with pytest.raises(ZhisuanError):
            text.loads(TINY[:length], text.stored_constants(tiny()))


def test_damaged_text_is_refused_or_read_but_never_crashes() -> None:
    rng = np.random.default_rng(0)
    letters = '%"[]{}(),=@:*/-#. 019abfh\n'
    stored = text.stored_constants(tiny())
    refused = 0
    for _ in range(1500):
        damaged = list(TINY)
        for place in rng.integers(0, len(TINY), 2):
            damaged[place] = letters[rng.integers(len(letters))]
        try:
            text.loads("".join(damaged), stored)
        except ZhisuanError:
            refused += 1
    assert 1000 < refused < 1500


def test_files_come_back(tmp_path: Path) -> None:
    path = tmp_path / "net.graph"
    text.save(tiny(), path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.graph", "net.safetensors"]
    again = text.load(path)
    assert text.dumps(again) == TINY
    np.testing.assert_array_equal(again.constants["w 1"], tiny().constants["w 1"])


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.graph"
    text.save(tiny(), path)
    weights = tmp_path / "net.safetensors"
    data = weights.read_bytes()
    for damaged in (data[:-4], data[:-1] + b"?", b""):
        weights.write_bytes(damaged)
        with pytest.raises(ZhisuanError) as caught:
            text.load(path)
        assert caught.value.what == "the stored constants are damaged or belong to another graph"
        assert caught.value.where == str(weights)
    weights.unlink()
    with pytest.raises(ZhisuanError) as caught:
        text.load(path)
    assert str(caught.value) == (
        "error: cannot read the graph's stored constants\n"
        f"  where:    {weights}\n"
        "  expected: the file that was saved with the graph\n"
        "  found:    No such file or directory"
    )


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ZhisuanError, match="cannot read the graph file"):
        text.load(tmp_path / "none.graph")
    (tmp_path / "picture.graph").write_bytes(b"\x89PNG\r\n\xff\xfe")
    with pytest.raises(ZhisuanError) as caught:
        text.load(tmp_path / "picture.graph")
    assert caught.value.found == "other bytes"


def test_a_failed_save_leaves_the_old_files(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "net.graph"
    text.save(tiny(), path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def fail(*_: object) -> str:
        raise OSError("disk full")

    monkeypatch.setattr(text, "dumps", fail)
    with pytest.raises(OSError, match="disk full"):
        text.save(tiny(), path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
