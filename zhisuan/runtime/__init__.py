"""The device: memory, programs, launches, and playing a plan; knows no graph and no model."""
