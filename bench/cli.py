"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.context import Context
from bench.engines.registry import NAMES
from bench.programs import BY_NAME
from bench.report import environment, markdown, write
from bench.results import SuiteResult
from bench.suites.registry import SUITES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

_HERE: Final = Path(__file__).resolve().parent


def main(arguments: Sequence[str]) -> int:
    """Runs suites and writes their results. 1 where engines disagreed about a result or failed, never because of a time."""
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = [name for name in options.suites if name not in SUITES]
    if unknown:
        parser.error(f"{', '.join(unknown)}: not one of the suites {', '.join(SUITES)}")
    if options.list:
        for name, (_, what) in SUITES.items():
            print(f"{name:12} {what}")
        return 0
    context = Context(
        cache=options.cache,
        rounds=options.rounds,
        program_names=frozenset(options.programs),
        engine_names=frozenset(options.engines),
        large=options.large,
    )
    results: list[SuiteResult] = []
    for name in options.suites or SUITES:
        print(f"suite {name}", file=sys.stderr, flush=True)
        results.append(_measured(name, context))
    where = environment(context.runtimes)
    print(markdown(results, where))
    for result in results:
        write(result, where, options.output)
    print(f"tables, plots and JSON are in {options.output}", file=sys.stderr)
    return 1 if any(result.wrong for result in results) else 0


def _measured(name: str, context: Context) -> SuiteResult:
    """The suite's result; where it breaks, that is its result, and the other suites go on."""
    try:
        return SUITES[name][0](context)
    except Exception as error:  # noqa: BLE001 - runtimes fail in their own ways
        traceback.print_exc()
        return SuiteResult(name, wrong=[f"the suite broke off: {type(error).__name__}: {error}"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description="Benchmarks of purewasm beside other runtimes: ratios measured in one run.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"what to run (default: everything): {', '.join(SUITES)}")
    parser.add_argument("--list", action="store_true", help="print the suites and what they measure")
    parser.add_argument("--rounds", type=_positive, default=3, help="how often candidates take turns (default: %(default)s)")
    parser.add_argument("--programs", type=_names(BY_NAME), default=[], metavar="A,B", help="only these programs")
    parser.add_argument("--engines", type=_names(NAMES), default=[], metavar="A,B", help=f"only these engines: {', '.join(NAMES)}")
    parser.add_argument("--large", action="store_true", help="also modules of 20 MB, and the number of live instances (minutes)")
    parser.add_argument("--output", type=Path, default=_HERE / "results", help="folder of the results (default: bench/results)")
    parser.add_argument("--cache", type=Path, default=_HERE / ".cache", help="folder of sources and builds (default: bench/.cache)")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _names(known: Collection[str]) -> Callable[[str], list[str]]:
    """A type for argparse: names with commas between them, each one known."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return names

    return parse
