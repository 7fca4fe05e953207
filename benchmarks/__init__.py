"""Measurements against peers in the same run; `make bench` prints and records them."""
