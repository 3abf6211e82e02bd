"""Compiling ahead of time in several processes.

Each worker is a Python of its own, started with nothing but this package's modules: the program's main module is not imported, so nothing
of a user's runs twice. It is told the module once, then gets lists of functions and sends back their parts (`SavedCode`). What a function
is compiled to depends on nothing but the module and the options, so neither number nor order of workers changes a byte of the result.

A worker that cannot be started or that dies is no error: what it leaves is compiled by the process itself.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from purewasm.light_importing import import_module
from purewasm.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from queue import SimpleQueue
    from subprocess import Popen

    from purewasm.engine.protocol import CompileOptions
    from purewasm.wasm.module import WasmModule

    Parts = list[tuple[int, bytes]]
    Maker = Callable[[int], Parts]

_CHUNKS_PER_WORKER: Final = 12
_START: Final = "import sys, pickle; sys.path[:] = pickle.load(sys.stdin.buffer); from purewasm.engine.workers import serve; serve()"


class Job(NamedTuple):
    """What workers are to do: `maker` names a module with `part_maker(module, options, *arguments) -> Maker`."""

    maker: str
    source: bytes
    options: CompileOptions
    arguments: tuple[int, ...] = ()

    def start(self, module: WasmModule) -> Maker:
        """What makes the parts of a function, by its index."""
        make: Callable[..., Maker] = import_module(self.maker).part_maker
        return make(module, self.options, *self.arguments)


def parts_of(job: Job, module: WasmModule, indices: Sequence[int], workers: int) -> Iterator[tuple[int, Parts]]:
    """Each of the functions and its parts, in the order in which they are done."""
    left = set(indices)
    if workers > 1 and len(indices) > 1:
        for index, parts in _from_processes(job, _chunks(module, indices, workers), workers):
            left.discard(index)
            yield index, parts
    if left:
        make = job.start(module)
        for index in indices:
            if index in left:
                yield index, make(index)


def _chunks(module: WasmModule, indices: Sequence[int], workers: int) -> list[list[int]]:
    """Lists of functions for the workers: the large ones first, since nobody wants to wait for one of them at the end."""
    first, bodies = module.imported_functions, module.codes
    sizes = {index: (body := bodies[index - first]).end - body.start for index in indices}
    enough = sum(sizes.values()) // (workers * _CHUNKS_PER_WORKER)
    chunks: list[list[int]] = []
    room = 0
    for index in sorted(indices, key=lambda index: (-sizes[index], index)):
        if room <= 0:
            chunks.append([])
            room = enough
        chunks[-1].append(index)
        room -= sizes[index]
    return chunks


def _from_processes(job: Job, chunks: list[list[int]], workers: int) -> Iterator[tuple[int, Parts]]:
    from queue import SimpleQueue
    from threading import Thread

    todo = chunks[::-1]
    done: SimpleQueue[list[tuple[int, Parts]] | None] = SimpleQueue()
    processes = _start_processes(min(workers, len(chunks)))
    threads = [Thread(target=_feed, args=(process, job, todo, done), daemon=True) for process in processes]
    try:
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            results = done.get()
            if results is None:
                running -= 1
            else:
                yield from results
    finally:
        for process in processes:
            process.kill()
        for thread in threads:
            thread.join()
        for process in processes:
            with suppress(OSError):  # what was not read by a process that is gone
                process.__exit__(None, None, None)


def _start_processes(count: int) -> list[Popen[bytes]]:
    from subprocess import PIPE, Popen

    started: list[Popen[bytes]] = []
    if not sys.executable:
        return started
    for _ in range(count):
        try:
            started.append(Popen([sys.executable, "-c", _START], stdin=PIPE, stdout=PIPE))
        except OSError:
            break
    return started


def _feed(process: Popen[bytes], job: Job, todo: list[list[int]], done: SimpleQueue[list[tuple[int, Parts]] | None]) -> None:
    """Give a worker one list after the other, until nothing is left or it fails."""
    import pickle  # only who starts workers needs it

    try:
        assert process.stdin is not None
        assert process.stdout is not None
        for value in (sys.path, job):
            pickle.dump(value, process.stdin)
        while todo:
            chunk = todo.pop()
            pickle.dump(chunk, process.stdin)
            process.stdin.flush()
            done.put(pickle.load(process.stdout))
    except (OSError, EOFError, IndexError, ValueError, pickle.UnpicklingError):
        pass  # `parts_of` makes what is missing
    finally:
        done.put(None)


def serve() -> None:
    """The life of a worker: standard input and output are pipes to the process that started it."""
    import pickle
    import signal

    from purewasm.binary.decoder import decode_module

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    job: Job = pickle.load(requests)
    make = job.start(decode_module(job.source, job.options.features, known=True))
    while True:
        try:
            chunk: list[int] = pickle.load(requests)
        except EOFError:
            return
        pickle.dump([(index, make(index)) for index in chunk], replies)
        replies.flush()
