"""Compare the engines with each other and with another runtime for a given time, on random modules.

    python core/tests/differential/run.py [--seconds 60] [--seed N] [--keep FOLDER]

Modules come from `wasm-tools smith` (with every proposal, and without objects and exceptions) and from our own generators. Each runs
in every way that this package has: interpreter and compiler, with guard pages and with explicit checks, with and without fuel, and compiled
for a processor with any part of this one's features. Results, traps, memories and globals are those of wasmtime; the fuel that is left is
the same on both engines.

Modules are tried by processes of their own, so that one that takes its process down is a difference as well. A module that makes one is
written into FOLDER; the line that is printed says its seed. The exit status is 1 where there was one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # for the packages of tests, when run as a script

from core.tests.differential.aggregates import Aggregates
from core.tests.differential.generator import generate
from core.tests.differential.outcomes import (
    INCONCLUSIVE,
    Call,
    new_runtime,
    oracle_outcomes,
    own_outcomes,
    with_plain_exports,
)
from core.tests.differential.smith import EVERYTHING, make_module, smith_calls, without_objects
from core.tests.processors import processor, random_processor
from purewasm import Features, UnsupportedError, WasmError
from purewasm.runtime.source import read_source

_BATCH: Final = 40
"""Modules that one process tries."""
_BATCH_SECONDS: Final = 300
_FUEL: Final = 1 << 40
_OTHER_PROCESSOR: Final = "compiler, another processor"
_WAYS: Final[dict[str, dict[str, object]]] = {
    "interpreter": {"engine": "interpreter"},
    "compiler": {"engine": "compiler"},
    "compiler, explicit checks": {"engine": "compiler", "explicit_checks": True},
    _OTHER_PROCESSOR: {"engine": "compiler"},
    "interpreter, fuel": {"engine": "interpreter", "fuel": True},
    "compiler, fuel": {"engine": "compiler", "fuel": True, "interruptible": False},
}


class Case(NamedTuple):
    """A module, what to call, and where it comes from."""

    source: str
    binary: bytes
    calls: list[Call]


def make_case(seed: int) -> Case | None:
    """The case of a seed; None where a module uses what is not supported."""
    rng = Random(seed)
    source = ("smith", "smith without objects", "generated", "generated without exceptions", "objects")[seed % 5]
    if source.startswith("smith"):
        made = make_module(rng, EVERYTHING if source == "smith" else without_objects())
        try:
            binary, functions = with_plain_exports(made, Features.all())
        except UnsupportedError:
            return None
        return Case(source, binary, smith_calls(rng, functions))
    if source == "objects":
        binary = read_source(Aggregates(rng).text(), Features.all())
        numbers = (0, 1, 2, -1, rng.getrandbits(31))
        calls = [Call(f"f{i >> 1}", (rng.choice(numbers), rng.getrandbits(63), rng.choice((0.0, -1.5)))) for i in range(8)]
        return Case(source, binary, calls)
    binary = read_source(generate(rng, exceptions=source == "generated"), Features.all())
    arguments = [tuple(rng.choice((0, 1, 2, 3, -1, rng.getrandbits(32) - (1 << 31))) for _ in range(3)) for _ in range(12)]
    return Case(source, binary, [Call(f"f{i >> 1}", values) for i, values in enumerate(arguments)])


def outcomes_of(case: Case) -> dict[str, list[str]]:
    """Outcomes by way of running it; those of a way that does not exist here are missing."""
    found = {"wasmtime": list(oracle_outcomes(case.binary, case.calls))}
    other = random_processor(Random(case.binary))
    for way, options in _WAYS.items():
        try:
            runtime = new_runtime(**options)  # type: ignore[arg-type]
        except WasmError:
            continue  # no compiler on this platform
        with runtime, processor(other) if way == _OTHER_PROCESSOR else nullcontext():
            found[way] = _collected(own_outcomes(case.binary, case.calls, runtime, _FUEL if "fuel" in options else None))
    return found


def _collected(outcomes: Iterator[str]) -> list[str]:
    """All of them; an exception that no guest may cause is an outcome that nothing else is equal to."""
    found = []
    try:
        for outcome in outcomes:
            found.append(outcome)  # noqa: PERF402 (what came before an exception is kept)
    except Exception as error:  # noqa: BLE001 (whatever it is, it is a difference)
        found.append(f"failed with {type(error).__name__}: {error}")
    return found


def compare(case: Case, found: dict[str, list[str]]) -> list[str]:
    """What differs: every way against the other runtime and against the interpreter, as far as their outcomes can be compared."""
    differing = []
    references = (("wasmtime", found), ("interpreter", found), ("interpreter, fuel", {k: v for k, v in found.items() if "fuel" in k}))
    for reference, ways in references:
        for way, outcomes in ways.items():
            for number, (own, other) in enumerate(zip(outcomes, found[reference], strict=False)):
                if INCONCLUSIVE in (own, other):
                    break
                if own != other:
                    what = str(case.calls[number - 1]) if 0 < number <= len(case.calls) else "state"
                    differing.append(f"{way}: {what}: {own} instead of {other} ({reference})")
                    break
    return differing


def run_batch(first: int, count: int, folder: Path) -> None:
    """A process's part: prints a line of JSON before and after each module."""
    for seed in range(first, first + count):
        print(json.dumps({"begin": seed}), flush=True)
        case = make_case(seed)
        if case is None:
            continue
        (folder / "last.wasm").write_bytes(case.binary)
        found = outcomes_of(case)
        differing = compare(case, found)
        if differing:
            (folder / f"{seed}.wasm").write_bytes(case.binary)
        conclusive = INCONCLUSIVE not in found["wasmtime"]
        print(json.dumps({"seed": seed, "source": case.source, "conclusive": conclusive, "differing": differing}), flush=True)


class Tally(NamedTuple):
    """What a run came to."""

    modules: Counter[str]
    differences: list[str]


def run(seconds: float, seed: int, folder: Path) -> Tally:
    """Batches until the time is over."""
    folder.mkdir(parents=True, exist_ok=True)
    tally = Tally(Counter(), [])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seed = _batch(seed, tally, folder, end)
    (folder / "last.wasm").unlink(missing_ok=True)
    with suppress(OSError):  # what differs stays
        folder.rmdir()
    return tally


def _batch(first: int, tally: Tally, folder: Path, end: float) -> int:
    """Run one process; returns the seed to go on with. One that takes too long is a difference too: every module ends by itself."""
    command = [sys.executable, __file__, "--batch", str(first), "--keep", str(folder)]
    last = first - 1
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child, _killed_after(child, _BATCH_SECONDS):
        assert child.stdout is not None
        for line in child.stdout:
            said = json.loads(line)
            last = int(said.get("begin", last))
            if "source" in said:
                tally.modules[f"{said['source']}{'' if said['conclusive'] else ' (in part)'}"] += 1
                tally.differences.extend(f"seed {said['seed']}: {text}" for text in said["differing"])
                for text in said["differing"]:
                    print(f"seed {said['seed']}: {text}", flush=True)
            if time.monotonic() > end:
                child.kill()
                return last + 1
        status = child.wait()
    if status != 0:
        if (folder / "last.wasm").exists():
            (folder / "last.wasm").replace(folder / f"{last}.wasm")
        message = f"seed {last}: the process ended with status {status}"
        print(message, flush=True)
        tally.differences.append(message)
    return last + 1


@contextmanager
def _killed_after(child: subprocess.Popen[str], seconds: float) -> Iterator[None]:
    """Kill a process that takes longer."""
    timer = threading.Timer(seconds, child.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare the engines with each other and with wasmtime on random modules.")
    parser.add_argument("--seconds", type=float, default=60, help="for so long (default: 60)")
    parser.add_argument("--seed", type=int, default=None, help="of the first module (default: by the clock)")
    parser.add_argument("--keep", type=Path, default=Path("differences"), help="folder for modules that differ (default: differences)")
    parser.add_argument("--batch", type=int, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.batch is not None:
        run_batch(options.batch, _BATCH, options.keep)
        return 0
    seed = int(time.time()) * 100_000 if options.seed is None else options.seed
    print(f"first seed: {seed}", flush=True)
    tally = run(options.seconds, seed, options.keep)
    for source, count in sorted(tally.modules.items()):
        print(f"{count:6} modules: {source}")
    print(f"{len(tally.differences)} differences")
    return 1 if tally.differences else 0


if __name__ == "__main__":
    sys.exit(main())
