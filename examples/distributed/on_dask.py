"""The same on a Dask cluster: a plugin sets up each worker, also those that join later.

    pip install "dask[distributed]"
"""

import tempfile
from pathlib import Path

from distributed import Client, LocalCluster, Worker, WorkerPlugin
from work import longest, parts, start

from purewasm import CompilationCache, Module, Runtime

GUEST = Path(__file__).with_name("guest.wat")


class GuestWorker(WorkerPlugin):
    """Travels to every worker, with the module in it."""

    def __init__(self, module: Module, directory: str) -> None:
        self.module, self.directory = module, directory

    def setup(self, worker: Worker) -> None:
        start(self.module, self.directory)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        with CompilationCache(directory) as cache, Runtime(cache=cache, eager=True) as runtime:
            module = runtime.compile(GUEST)  # everything, now, and into the cache
            print("compiled once:", len(cache), "module in the cache")
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=directory)
        with cluster, Client(cluster) as client:
            client.register_plugin(GuestWorker(module, directory))
            first, second = client.gather(client.map(longest, [[97], [871]]))
            print(f"97 takes {first[0]} steps, 871 takes {second[0]} steps")
            steps, number = max(client.gather(client.map(longest, parts(20_000, 2500))))
            print(f"longest way below 20000: from {number}, {steps} steps")


if __name__ == "__main__":
    main()
