"""Benchmarks of purewasm beside other runtimes and native code: ratios measured in one run. README.md says how to use it."""
