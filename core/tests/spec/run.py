"""Run the official testsuite on every engine there is, and print what came of it, counted by kind of assertion,
and which modules an engine left to another one.

    python core/tests/spec/run.py [--engine NAME]... [--jobs N] [--explicit-checks] [--fuel] [--option NAME=VALUE]...
        [--processor NAME] [SCRIPT]...

`--explicit-checks` and `--fuel` switch these options of the runtime on, `--option` sets any of them. `--processor` compiles for an older
processor than this one (`core/tests/processors.py` names some). A script is named by its path in the suite, `*` and all:
`i32.wast`, `simd_*`. The exit status is 1 if anything failed that is not in `expected_failures`, or passed although it is, and 2 where
the suite is missing.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # for the packages of tests, when run as a script

from core.tests.processors import PROCESSORS, become
from core.tests.runtime_options import RuntimeOptions, add_runtime_options, runtime_options
from core.tests.spec.expected_failures import EXPECTED
from core.tests.spec.suite import HOW_TO_GET, Script, find_suite, scripts
from purewasm import Runtime, WasmError
from purewasm.wast.runner import Failure, Outcome, run_script

KINDS: Final = (
    "return", "trap", "exhaustion", "exception", "uninstantiable", "unlinkable", "invalid", "invalid_custom", "malformed",
    "malformed_custom", "module", "register", "action", "thread", "wait", "script",
)  # fmt: skip
ENGINES: Final = ("interpreter", "compiler")
_SLOW_SECONDS: Final = 20.0


class Report(NamedTuple):
    """What came of a script on an engine, and how long it took."""

    engine: str
    script: str
    outcome: Outcome
    seconds: float


def run_file(engine: str, script: Script, options: Mapping[str, object] | None = None, processor: str | None = None) -> Report:
    """Run a script. What it cannot even begin with is a failure of kind `script`. A processor is that of the whole process from then on."""
    start = time.monotonic()
    try:
        if processor is not None:
            become(PROCESSORS[processor])
        outcome = run_script(script.path.read_bytes(), engine, script.features, **(options or {}))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is a failure of this script)
        outcome = Outcome(failures=[Failure(0, "script", f"{type(error).__name__}: {error}")])
    return Report(engine, script.name, outcome, time.monotonic() - start)


Task = tuple[str, Script, RuntimeOptions, str | None]


def run_all(tasks: Sequence[Task], jobs: int) -> Iterator[Report]:
    """Run scripts in processes. One that takes its process down is a failure; those that went down with it are run again, alone."""
    again = []
    for task, report in _run_in_processes(tasks, jobs):
        if report is None:
            again.append(task)
        else:
            yield report
    for task in again:
        for (engine, script, *_), report in _run_in_processes([task], 1):
            yield report or Report(engine, script.name, Outcome(failures=[Failure(0, "script", "the process died")]), 0.0)


def _run_in_processes(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, Report | None]]:
    """Each task with its report, None where its process died or could not begin with it any more."""
    with ProcessPoolExecutor(jobs) as pool:
        futures: dict[Future[Report], Task] = {pool.submit(run_file, *task): task for task in tasks}
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except BrokenProcessPool:
                yield futures[future], None


def judge(report: Report) -> tuple[list[str], list[str]]:
    """(failures that are not expected, expected ones that passed or were not reached), as lines to print."""
    lines = {(report.engine, report.script, failure.line): failure for failure in report.outcome.failures}
    unexpected = [
        f"{report.engine}: {report.script}:{failure.line}: {failure.kind}: {failure.reason}"
        for key, failure in lines.items()
        if key not in EXPECTED
    ]
    passed = [
        f"{engine}: {script}:{line}: expected to fail ({reason}), but did not"
        for (engine, script, line), reason in EXPECTED.items()
        if (engine, script) == (report.engine, report.script) and (engine, script, line) not in lines
    ]
    return unexpected, passed


def table(totals: dict[str, Outcome]) -> str:
    """Counts by kind and engine."""
    width = max(map(len, KINDS)) + 2
    rows = ["".join([" " * width, *(f"{engine:>16}" for engine in totals)])]
    for kind in KINDS:
        cells = []
        for outcome in totals.values():
            failed = sum(failure.kind == kind for failure in outcome.failures)
            count = outcome.passed.get(kind, 0)
            cells.append(f"{count}" + (f" / {failed} bad" if failed else ""))
        if any(cell != "0" for cell in cells):
            rows.append("".join([f"{kind:<{width}}", *(f"{cell:>16}" for cell in cells)]))
    sums = (f"{sum(outcome.passed.values())}" for outcome in totals.values())
    rows.append("".join([f"{'all':<{width}}", *(f"{cell:>16}" for cell in sums)]))
    return "\n".join(rows)


def left_out(engine: str, outcome: Outcome) -> str:
    """What an engine left to another one, and why."""
    if not outcome.left_out:
        return f"{engine}: ran every module itself"
    instances, functions = (sum(counts) for counts in zip(*outcome.left_out.values(), strict=True))
    lines = [f"{engine}: left {instances} instances with {functions} functions to another engine"]
    for reason, counts in sorted(outcome.left_out.items(), key=lambda item: (-item[1][0], item[0])):
        lines.append(f"  {counts[0]:5} instances {counts[1]:6} functions: {reason}")
    return "\n".join(lines)


def available_engines() -> list[str]:
    """The engines that this machine has; says why another one is left out."""
    found = []
    for engine in ENGINES:
        try:
            Runtime(engine=engine).close()
        except WasmError as error:
            print(f"{engine}: left out: {error}")
        else:
            found.append(engine)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run the official WebAssembly testsuite.")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="run on this engine (default: on all there are)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--explicit-checks", action="store_true", help="compiled code compares addresses: no guard pages")
    parser.add_argument("--fuel", action="store_true", help="count fuel")
    add_runtime_options(parser)
    parser.add_argument("--processor", choices=PROCESSORS, help="compile for this one, which has less than the present one")
    parser.add_argument("--failures", type=int, default=200, help="print so many failures at most (default: 200)")
    parser.add_argument("scripts", nargs="*", help="scripts by name (default: all)")
    options = parser.parse_args(arguments)
    given = runtime_options(parser, options, {"explicit_checks": options.explicit_checks, "fuel": options.fuel})
    suite = find_suite()
    if suite is None:
        print(f"no WebAssembly testsuite: {HOW_TO_GET}", file=sys.stderr)
        return 2
    chosen = [script for script in scripts(suite) if _is_chosen(script, options.scripts)]
    engines = options.engine or available_engines()
    totals = {engine: Outcome() for engine in engines}
    bad: list[str] = []
    tasks = [(engine, script, given, options.processor) for engine in engines for script in chosen]
    for report in run_all(tasks, options.jobs):
        totals[report.engine].add(report.outcome)
        unexpected, passed = judge(report)
        bad += unexpected + passed
        if report.seconds > _SLOW_SECONDS:
            print(f"{report.engine}: {report.script} took {report.seconds:.0f} s")
    for line in sorted(bad)[: options.failures]:
        print(line)
    print(f"{len(chosen)} scripts of {suite}, {len(EXPECTED)} failures expected, {len(bad)} others")
    print(table(totals))
    for engine, outcome in totals.items():
        print(left_out(engine, outcome))
    return 1 if bad or not chosen else 0


def _is_chosen(script: Script, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch(script.name, pattern) or fnmatch(script.name, f"{pattern}.wast") for pattern in patterns)


if __name__ == "__main__":
    sys.exit(main())
