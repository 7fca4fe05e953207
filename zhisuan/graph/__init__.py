"""The maths of a network: one op registry, one graph, a verifier, a reference, rewrites.

Knows no hardware: nothing here may import the machine tower.
"""
