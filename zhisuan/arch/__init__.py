"""Machines as data: frozen sizes and rates, each with the source of its number.

Comes in: a preset's name or a TOML file.  Goes out: a `Machine`.  It never simulates.
"""
