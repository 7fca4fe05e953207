"""A package that is built has the labs inside, and finds them there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from zhisuan.labs import catalogue

ROOT = Path(__file__).parent.parent.parent


def test_a_built_package_has_the_labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dist = pytest.importorskip("setuptools.dist")
    spec = importlib.util.spec_from_file_location("setup_of_zhisuan", ROOT / "setup.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    command = module.WithLabs(dist.Distribution({"name": "zhisuan", "packages": []}))
    command.build_lib = str(tmp_path)
    command.ensure_finalized()
    command.run()
    in_checkout = catalogue.names()
    monkeypatch.setattr(catalogue, "PLACES", (tmp_path / "zhisuan" / "labs" / "files",))
    assert catalogue.names() == in_checkout
    lab = catalogue.find("softmax")
    assert lab.folder.is_relative_to(tmp_path)
    assert (lab.folder / "README.zh.md").is_file()
    assert not list(tmp_path.rglob("__pycache__"))
