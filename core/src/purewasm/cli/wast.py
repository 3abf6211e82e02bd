"""`purewasm wast`: run scripts in the language of the official testsuite."""

from __future__ import annotations

import sys

from purewasm.cli.arguments import SOME
from purewasm.cli.failure import FAILED, Failure, describe_module_error, failed, misuse
from purewasm.cli.parser import CommandParser, FeatureOptions, add_features
from purewasm.cli.sources import read
from purewasm.errors import ModuleError, WasmError
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.runtime.config import ENGINES
from purewasm.wast.runner import Outcome, run_script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from purewasm.cli.sources import Source
    from purewasm.wasm.features import Features

_SUMMARY: Final = "Run scripts in the language of the official testsuite, and say which of their commands did not come out as they should."
_EXAMPLES: Final = (
    "purewasm wast i32.wast",
    "purewasm wast testsuite/*.wast --engine interpreter --quiet",
    "purewasm wast testsuite/legacy/*.wast --features legacy-exceptions",
)


class Options(FeatureOptions):
    """What the command line says."""

    files: list[str]
    engine: str
    quiet: bool


def main(arguments: Sequence[str]) -> int:
    """0 if every command of every script came out as it should; otherwise the worst status of any file."""
    parser = CommandParser("wast", _SUMMARY, _EXAMPLES)
    rows = parser.rows
    rows.positional("files", "FILE", "a .wast file, or - for standard input", takes=SOME)
    rows.option("--engine", choices=ENGINES, default="auto", help="what runs the modules (default: auto)")
    rows.flag("-q", "--quiet", help="print failures alone")
    add_features(rows)
    options = parser.parse(arguments, Options())
    features = options.chosen_features
    worst, total = 0, Outcome()
    for file in options.files:
        try:
            source = read(file)
            outcome = _run(source, options.engine, features)
        except Failure as failure:
            sys.stdout.flush()
            print(f"purewasm: {failure.message}", file=sys.stderr)
            worst = max(worst, failure.status)
            continue
        for failed_one in outcome.failures:
            print(f"{source.name}:{failed_one.line}: {failed_one.kind}: {failed_one.reason}")
        if not options.quiet:
            print(f"{source.name}: {_counts(outcome)}", flush=True)
        total.add(outcome)
    if len(options.files) > 1 and not options.quiet:
        print(f"{len(options.files)} files: {_counts(total)}")
    return max(worst, FAILED if total.failures else 0)


def _run(source: Source, engine: str, features: Features) -> Outcome:
    try:
        return run_script(source.data, engine, features)
    except ModuleError as error:
        failed(describe_module_error(error, source.name, source.text))
    except WasmError as error:  # there is no such engine here
        misuse(str(error))


def _counts(outcome: Outcome) -> str:
    passed = f"{sum(outcome.passed.values()):,} passed"
    return f"{passed}, {len(outcome.failures):,} failed" if outcome.failures else passed
