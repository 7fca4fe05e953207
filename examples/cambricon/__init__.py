"""Seven networks of the Cambricon paper as assembly for the DLP, checked against NumPy."""
