"""Compile once, instantiate from several threads at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from purewasm import Runtime

GUEST = Path(__file__).with_name("guest.wat")
JOBS = 100

with Runtime() as runtime:
    module = runtime.compile(GUEST)

    def work(n: int) -> int:
        """One job, in an instance that nobody else sees: without a name, so names cannot clash."""
        with runtime.instantiate(module) as instance:
            result: int = instance.exports.sum_of_squares(n)
            return result

    with ThreadPoolExecutor(max_workers=4) as pool:
        results = list(pool.map(work, range(1, JOBS + 1)))

expected = [sum(i * i for i in range(n + 1)) for n in range(1, JOBS + 1)]
print(JOBS, "instances in 4 threads, all results right:", results == expected)
