"""Zhisuan: an intelligent computing system, from network to cycles, on a laptop."""

__version__ = "0.1.0"
