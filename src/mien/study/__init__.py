"""How well an avatar or a driver suits an engine."""
