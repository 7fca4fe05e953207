"""The commands of docs/walk.md, run as they stand, in order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

ROOT = Path(__file__).parent.parent.parent


def test_the_walk(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "walk.md").read_text(encoding="utf-8")
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S))
    (tmp_path / "zhisuan").symlink_to(ROOT / "zhisuan")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-eu", "-c", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    names = ("painted", "again", "slow", "weight", "instruction")
    pictures = {name: (tmp_path / f"{name}.png").read_bytes() for name in names}
    assert pictures["painted"] == pictures["again"] == pictures["slow"]
    assert len(set(pictures.values())) == 3  # another weight, another instruction: others
    scaled = load_file(tmp_path / "y.safetensors")["dst"]
    assert np.array_equal(scaled, np.arange(1000, dtype=np.float16) * np.float16(0.5))
    assert (tmp_path / "build" / "03-multistyle26.plan").is_file()
