"""A built program: a file that Python runs, with the shared object and its machine inside.

Comes in: a shared object and a machine's name.  Goes out: the bytes of a zip file that begins with
`#!` and this Python; run, it gives the program its arguments and ends as the program does.
"""

from __future__ import annotations

import io
import sys
import zipfile

from zhisuan.base import cache
from zhisuan.base.errors import ZhisuanError
from zhisuan.runtime import host_run

_LIBRARY, _MACHINE, _MAIN = "program.so", "machine", "__main__.py"
_START = """try:
    from zhisuan.runtime.host_archive import main
except ImportError:
    raise SystemExit("error: this program runs on the Python package zhisuan, which is not here")
main()
"""
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the same program is the same file


def pack(library: bytes, machine: str) -> bytes:
    """The file's bytes; `machine` is the one it runs on."""
    buffer = io.BytesIO()
    buffer.write(f"#!{sys.executable}\n".encode())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in ((_MAIN, _START), (_MACHINE, machine), (_LIBRARY, library)):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def main() -> None:
    """Run the archive that Python was started with; never returns."""
    with zipfile.ZipFile(sys.argv[0]) as archive:
        library, machine = archive.read(_LIBRARY), archive.read(_MACHINE).decode()
    try:
        kept = cache.get_or_make("host", ["archive", library], lambda: library, suffix=".so")
        done = host_run.run(kept, sys.argv[1:], machine, name=sys.argv[0])
    except ZhisuanError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(done.status)
