"""Puts labs/ into the installed package for `zhisuan lab`; all else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

LABS = Path(__file__).parent / "labs"


class WithLabs(build_py):
    def run(self):
        super().run()
        if not self.editable_mode:  # an editable package finds the labs of its checkout
            target = Path(self.build_lib) / "zhisuan" / "labs" / "files"
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(LABS, target, ignore=shutil.ignore_patterns("__pycache__"))


if __name__ == "__main__":
    setup(cmdclass={"build_py": WithLabs})
