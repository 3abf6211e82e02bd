"""The interpreter engine: every guest function becomes one Python function, at its first call."""
