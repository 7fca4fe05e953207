"""The example for VS Code: what it offers is what the adapter reads, and its launches begin."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.debug.dap_client import Client
from zhisuan.cli import debug
from zhisuan.debug.dap import requests

FOLDER = Path(__file__).parent.parent.parent / "examples" / "vscode"


def described() -> dict[str, Any]:
    (debugger,) = json.loads((FOLDER / "package.json").read_text())["contributes"]["debuggers"]
    return debugger["configurationAttributes"]["launch"]


def test_the_extension_names_every_argument_of_a_launch_and_no_other() -> None:
    read = re.findall(r'arguments(?:\.get\(|\[)"(\w+)"', inspect.getsource(debug.target_of))
    read += re.findall(r'arguments\.get\("(\w+)"', inspect.getsource(requests._launch))
    assert set(read) == set(described()["properties"])


@pytest.mark.parametrize("number", [0, 1])
def test_its_configurations_begin(number: int) -> None:
    given = json.loads((FOLDER / ".vscode" / "launch.json").read_text())["configurations"][number]
    assert set(given) - {"name", "type", "request"} <= set(described()["properties"])
    given["cwd"] = str(FOLDER)
    with Client() as client:
        client.begin(**given)
        client.ask("setFunctionBreakpoints", breakpoints=[{"name": "scaled"}])
        client.ask("configurationDone")
        stop = client.stop()
        if given.get("stopOnEntry"):
            assert stop["reason"] == "entry"
            stop = client.move("continue", 1)
        assert stop["reason"] == "function breakpoint"
        assert client.top(1)["source"]["path"].endswith("examples/debugging/scaled.mlu")
