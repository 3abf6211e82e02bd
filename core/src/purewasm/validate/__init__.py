"""Validation (spec: validation): one pass over each body, and the rules for everything around them."""
