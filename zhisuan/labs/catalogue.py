"""Where the labs are.

Comes in: a lab's name.  Goes out: its `Lab`.  A checkout has the labs at its top, an installed
package inside.
"""

from __future__ import annotations

from pathlib import Path

from zhisuan.base.errors import ZhisuanError, did_you_mean
from zhisuan.labs import kernel_criteria, kinds, lab_file, op_criteria  # noqa: F401
from zhisuan.labs.lab_file import Lab

HERE = Path(__file__).parent
PLACES = (HERE / "files", HERE.parent.parent / "labs")
"""Inside the installed package, which `setup.py` fills; in a checkout."""


def folder() -> Path:
    """The folder of all labs."""
    for place in PLACES:
        if place.is_dir():
            return place
    raise ZhisuanError("there are no labs here", expected=f"a folder {PLACES[0]}",
                       hint="install zhisuan again, or run it from a checkout")  # fmt: skip


def names() -> list[str]:
    """The names of all labs."""
    return sorted(path.parent.name for path in folder().glob(f"*/{lab_file.FILE}"))


def find(name: str) -> Lab:
    """The lab called `name`; an unknown one is an error."""
    known = names()
    if name not in known:
        raise ZhisuanError(f"there is no lab '{name}'", expected=", ".join(known),
                           hint=did_you_mean(name, known) or "zhisuan lab list")  # fmt: skip
    return lab_file.read(folder() / name, kinds.options())
