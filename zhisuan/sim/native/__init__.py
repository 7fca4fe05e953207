"""C sources of the native core, compiled on first use by `sim.native_core`; no Python here."""
