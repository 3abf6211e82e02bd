"""Compare the engines with each other and with another runtime for a given time, on random modules.

    python core/tests/differential/run.py [--seconds 60] [--seed N] [--keep FOLDER] [--option NAME=VALUE]...

Modules come from `wasm-tools smith` (with every proposal, and without objects and exceptions) and from our own generators. Each runs
in every way that this package has: interpreter and compiler, with guard pages and with explicit checks, with and without fuel, compiled
for a processor with any part of this one's features, with baseline code alone, and with code that is optimized while it runs. Results,
traps, memories and globals are those of wasmtime; the fuel that is left is the same on both engines. `--option` sets an option of all
these runtimes.

Calls that take long in wasmtime are set aside, and made with little fuel alone: both engines are at the same place when it runs out.

Modules are tried by processes of their own, so that one that takes its process down, or takes very long, is a difference as well. A module
that makes one is written into FOLDER; the line that is printed says its seed. The exit status is 1 where there was one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # for the packages of tests, when run as a script

from core.tests.differential.aggregates import Aggregates
from core.tests.differential.generator import generate
from core.tests.differential.outcomes import (
    INCONCLUSIVE,
    Call,
    calls_that_end,
    new_runtime,
    oracle_outcomes,
    own_outcomes,
    with_plain_exports,
)
from core.tests.differential.smith import EVERYTHING, make_module, smith_calls, without_objects
from core.tests.processors import processor, random_processor
from core.tests.runtime_options import add_runtime_options, runtime_options
from purewasm import Features, UnsupportedError, WasmError
from purewasm.runtime.source import read_source

_BATCH: Final = 40
"""Modules that one process tries."""
_MODULE_SECONDS: Final = 300
"""No module takes so long, on a busy machine either."""
_FUEL: Final = 1 << 40
_OTHER_PROCESSOR: Final = "compiler, another processor"
_NEVER: Final = 1 << 62
_WAYS: Final[dict[str, dict[str, object]]] = {
    "interpreter": {"engine": "interpreter"},
    "compiler": {"engine": "compiler"},
    "compiler, explicit checks": {"engine": "compiler", "explicit_checks": True},
    _OTHER_PROCESSOR: {"engine": "compiler"},
    "interpreter, fuel": {"engine": "interpreter", "fuel": True},
    "compiler, fuel": {"engine": "compiler", "fuel": True, "interruptible": False},
    "interpreter, little fuel": {"engine": "interpreter", "fuel": True},
    "compiler, little fuel": {"engine": "compiler", "fuel": True},
    "baseline": {"engine": "compiler", "optimize_after": _NEVER, "explicit_checks": True},
    "both tiers": {"engine": "compiler", "optimize_after": 1},
    "both tiers, fuel": {"engine": "compiler", "optimize_after": 2, "fuel": True},
    "both tiers, little fuel": {"engine": "compiler", "optimize_after": 1, "fuel": True},
}


class Case(NamedTuple):
    """A module, what to call, and where it comes from. `aside`: calls that take too long."""

    source: str
    binary: bytes
    calls: list[Call]
    aside: tuple[Call, ...] = ()

    @property
    def limited_calls(self) -> list[Call]:
        """What to call where fuel ends it."""
        return [*self.aside, *self.calls]

    def call_of(self, way: str, outcome: int) -> str:
        """What came to the outcome of this number."""
        calls = self.limited_calls if way.endswith("little fuel") else self.calls
        return str(calls[outcome - 1]) if 0 < outcome <= len(calls) else "state"


def make_case(seed: int) -> Case | None:
    """The case of a seed; None where a module uses what is not supported, or takes long to start."""
    case = _any_case(seed)
    ending = None if case is None else calls_that_end(case.binary, case.calls)
    if case is None or ending is None:
        return None
    return case._replace(calls=ending, aside=tuple(call for call in case.calls if call not in ending))


def _any_case(seed: int) -> Case | None:
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


def outcomes_of(case: Case, given: Mapping[str, object] | None = None) -> dict[str, list[str]]:
    """Outcomes by way of running it, with options of the runtime that are `given`; those of a way that does not exist here are missing."""
    found = {"wasmtime": list(oracle_outcomes(case.binary, case.calls))}
    rng = Random(case.binary)
    other, little = random_processor(rng), rng.randrange(1, 1 << rng.randint(4, 14))
    for way, options in _WAYS.items():
        try:
            runtime = new_runtime(**{**(given or {}), **options})  # type: ignore[arg-type]
        except WasmError:
            continue  # no compiler on this platform
        is_limited = way.endswith("little fuel")
        calls, fuel = (case.limited_calls, little) if is_limited else (case.calls, _FUEL if "fuel" in options else None)
        with runtime, processor(other) if way == _OTHER_PROCESSOR else nullcontext():
            found[way] = _collected(own_outcomes(case.binary, calls, runtime, fuel))
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
    limited = [way for way in found if way.endswith("little fuel")]
    unlimited = [way for way in found if way not in limited]
    counting = [way for way in unlimited if way.endswith("fuel")]
    for reference, ways in (
        ("wasmtime", unlimited), ("interpreter", unlimited), ("interpreter, fuel", counting), ("interpreter, little fuel", limited),
    ):  # fmt: skip
        for way in ways:
            for number, (own, other) in enumerate(zip(found[way], found[reference], strict=False)):
                if INCONCLUSIVE in (own, other):
                    break
                if own != other:
                    differing.append(f"{way}: {case.call_of(way, number)}: {own} instead of {other} ({reference})")
                    break
    return differing


def run_batch(first: int, count: int, folder: Path, given: Mapping[str, object] | None = None) -> None:
    """A process's part: prints a line of JSON before and after each module."""
    for seed in range(first, first + count):
        print(json.dumps({"begin": seed}), flush=True)
        case = make_case(seed)
        if case is None:
            continue
        (folder / "last.wasm").write_bytes(case.binary)
        found = outcomes_of(case, given)
        differing = compare(case, found)
        if differing:
            (folder / f"{seed}.wasm").write_bytes(case.binary)
        conclusive = INCONCLUSIVE not in found["wasmtime"]
        said = {"seed": seed, "source": case.source, "conclusive": conclusive, "aside": len(case.aside), "differing": differing}
        print(json.dumps(said), flush=True)


@dataclass(slots=True)
class Tally:
    """What a run came to."""

    modules: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    aside: int = 0
    """Calls that took too long."""


def run(seconds: float, seed: int, folder: Path, options: Sequence[str] = ()) -> Tally:
    """Batches until the time is over. `options` are more words of their command line."""
    folder.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seed = _batch(seed, tally, folder, end, options)
    (folder / "last.wasm").unlink(missing_ok=True)
    with suppress(OSError):  # what differs stays
        folder.rmdir()
    return tally


def _batch(first: int, tally: Tally, folder: Path, end: float, options: Sequence[str]) -> int:
    """Run one process; returns the seed to go on with. A module that takes too long is a difference too: every call ends by itself."""
    command = [sys.executable, __file__, "--batch", str(first), "--keep", str(folder), *options]
    last = first - 1
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child, _Watch(child) as watch:
        assert child.stdout is not None
        for line in child.stdout:
            watch.begin()
            said = json.loads(line)
            last = int(said.get("begin", last))
            if "source" in said:
                tally.modules[f"{said['source']}{'' if said['conclusive'] else ' (in part)'}"] += 1
                tally.aside += said["aside"]
                for text in said["differing"]:
                    _tell(tally, f"seed {said['seed']}: {text}")
            if time.monotonic() > end:
                child.kill()
                return last + 1
        status = child.wait()
    if status != 0:
        if (folder / "last.wasm").exists():
            (folder / "last.wasm").replace(folder / f"{last}.wasm")
        what = f"took more than {_MODULE_SECONDS} s" if watch.has_killed else f"the process ended with status {status}"
        _tell(tally, f"seed {last}: {what}")
    return last + 1


def _tell(tally: Tally, difference: str) -> None:
    print(difference, flush=True)
    tally.differences.append(difference)


@final
class _Watch:
    """Kills a process in which nothing begins for too long."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child, self.has_killed = child, False

    def __enter__(self) -> _Watch:
        self._timer = self._new_timer()
        return self

    def begin(self) -> None:
        self._timer.cancel()
        self._timer = self._new_timer()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()

    def _new_timer(self) -> threading.Timer:
        timer = threading.Timer(_MODULE_SECONDS, self._kill)
        timer.daemon = True
        timer.start()
        return timer

    def _kill(self) -> None:
        self.has_killed = True
        self._child.kill()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare the engines with each other and with wasmtime on random modules.")
    parser.add_argument("--seconds", type=float, default=60, help="for so long (default: 60)")
    parser.add_argument("--seed", type=int, default=None, help="of the first module (default: by the clock)")
    parser.add_argument("--keep", type=Path, default=Path("differences"), help="folder for modules that differ (default: differences)")
    parser.add_argument("--batch", type=int, default=None, help=argparse.SUPPRESS)
    add_runtime_options(parser)
    options = parser.parse_args(arguments)
    given = runtime_options(parser, options)
    if options.batch is not None:
        run_batch(options.batch, _BATCH, options.keep, given)
        return 0
    seed = int(time.time()) * 100_000 if options.seed is None else options.seed
    print(f"first seed: {seed}", flush=True)
    tally = run(options.seconds, seed, options.keep, [f"--option={name}={value!r}" for name, value in given.items()])
    for source, count in sorted(tally.modules.items()):
        print(f"{count:6} modules: {source}")
    print(f"{tally.aside:6} calls set aside, since they take long")
    print(f"{len(tally.differences)} differences")
    return 1 if tally.differences else 0


if __name__ == "__main__":
    sys.exit(main())
