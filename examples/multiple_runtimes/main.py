"""Several runtimes that share compiled code, and nothing else."""

from pathlib import Path

from purewasm import CompilationCache, Runtime

GUEST = Path(__file__).with_name("counter.wat")

cache = CompilationCache()
with Runtime(cache=cache) as first, Runtime(cache=cache) as second:
    # One name in two runtimes: each has a namespace of its own.
    one = first.instantiate(GUEST, name="counter")
    other = second.instantiate(GUEST, name="counter")
    print("first runtime:", [one.exports.count() for _ in range(3)])
    print("second runtime:", [other.exports.count() for _ in range(2)])
    print("names:", sorted(first.instance_names), sorted(second.instance_names))

    # A module belongs to no runtime: compiled by one, it runs in any.
    module = first.compile(GUEST)
    print("same module, second runtime:", second.instantiate(module).exports.count())
cache.close()
