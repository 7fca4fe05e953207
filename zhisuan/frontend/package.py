"""Files inside installed packages: found without importing the package, checked by sha256."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from zhisuan.base.errors import ZhisuanError


@dataclass(frozen=True)
class PackagedFile:
    """A file in a package: `what` it is for people, `use` what needs it, `size` of the package."""

    package: str
    file: str
    what: str
    use: str
    size: str
    install: str  # the command that installs it
    sha256: str = ""  # not checked when empty

    def path(self) -> Path:
        """Where it lies; a missing package or other contents are errors that say what to do."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise ZhisuanError(
                f"the package with the {self.what} is not installed",
                where=self.use,
                expected=f"the package {self.package} ({self.size})",
                found="no such package",
                hint=self.install,
            )
        file = Path(next(iter(spec.submodule_search_locations))) / self.file
        found = f"sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}" if file.is_file() else ""
        if not found or (self.sha256 and found != f"sha256 {self.sha256}"):
            raise ZhisuanError(
                f"the {self.what} is not the one this program was written for",
                where=str(file),
                expected=f"sha256 {self.sha256}" if self.sha256 else "the file",
                found=found or "no such file",
                hint=f"{self.install} --force-reinstall",
            )
        return file
