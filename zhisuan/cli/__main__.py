"""`python -m zhisuan.cli` is `zhisuan`."""

from zhisuan.cli import main

main()
