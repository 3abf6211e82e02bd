"""The official WASI testsuite (its prebuilt programs), every preview 1 program on both engines, counted by language.

    python hostmods/wasi/tests/testsuite/run.py CHECKOUT [--engine compiler] [--only NAME]

CHECKOUT is a copy of the testsuite's branch of built programs, or something that `git clone` takes: then that branch is fetched for this
run. Nothing of it is part of this repository. A program passes if its exit status and its output are what the file beside it asks for.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, TypedDict

from purewasm import Runtime
from purewasm_wasi import Wasi

BRANCH: Final = "prod/testsuite-base"
SUITES: Final = ("c", "rust", "assemblyscript")
TIMEOUT_SECONDS: Final = 120.0


class Specification(TypedDict, total=False):
    """What stands beside a program."""

    args: list[str]
    env: dict[str, str]
    dirs: list[str]
    root: str
    exit_code: int
    stdout: str


class Case(NamedTuple):
    """One program."""

    suite: str
    path: Path
    specification: Specification


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if everything passes, 1 if not, 2 if there is nothing to run."""
    parser = argparse.ArgumentParser(description="Run the official WASI testsuite.")
    parser.add_argument("checkout", help=f"a copy of the branch {BRANCH}, or what git clone takes")
    parser.add_argument("--engine", choices=("interpreter", "compiler"), action="append", help="default: both")
    parser.add_argument("--only", metavar="NAME", action="append", help="programs by name")
    options = parser.parse_args(arguments)
    with _checkout(options.checkout) as root:
        cases = [case for case in _cases(root) if not options.only or case.path.stem in options.only]
        if not cases:
            print(f"no programs in {options.checkout}: is it the branch {BRANCH}?", file=sys.stderr)
            return 2
        return max(_run_all(cases, engine) for engine in options.engine or ("interpreter", "compiler"))


@contextmanager
def _checkout(source: str) -> Iterator[Path]:
    if (Path(source) / "tests").is_dir():
        yield Path(source)
        return
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["git", "clone", "--quiet", "--depth", "1", "--branch", BRANCH, source, folder], check=False)
        if done.returncode:
            sys.exit(f"{source} is no copy of the testsuite, and git cannot clone branch {BRANCH} from it")
        yield Path(folder)


def _cases(root: Path) -> Iterator[Case]:
    for suite in SUITES:
        for path in sorted((root / "tests" / suite / "testsuite" / "wasm32-wasip1").glob("*.wasm")):
            beside = path.with_suffix(".json")
            yield Case(suite, path, json.loads(beside.read_text()) if beside.is_file() else {})


def _run_all(cases: Sequence[Case], engine: str) -> int:
    passed: Counter[str] = Counter()
    started = time.monotonic()
    with Runtime(engine=engine) as runtime:
        for case in cases:
            problems = _run(case, runtime)
            passed[case.suite] += not problems
            if problems:
                print(f"{engine}: {case.suite}/{case.path.stem}: {'; '.join(problems)}")
    totals = Counter(case.suite for case in cases)
    counts = ", ".join(f"{suite} {passed[suite]} of {totals[suite]}" for suite in totals)
    print(f"{engine}: {passed.total()} of {totals.total()} pass ({counts}), {time.monotonic() - started:.1f} s")
    return int(passed != totals)


def _run(case: Case, runtime: Runtime) -> list[str]:
    """What is wrong with a run: nothing, one hopes."""
    wanted = case.specification
    given = wanted.get("root") or next(iter(wanted.get("dirs", ())), None)
    with tempfile.TemporaryDirectory() as folder:
        dirs = {}
        if given is not None:
            dirs["/"] = shutil.copytree(case.path.parent / given, Path(folder) / "root", symlinks=True)
        wasi = Wasi([case.path.name, *wanted.get("args", ())], wanted.get("env"), dirs=dirs)
        try:
            with wasi:
                result = wasi.run(case.path, runtime=runtime, capture=True, timeout=TIMEOUT_SECONDS)
        except Exception as error:  # noqa: BLE001 (whatever it is, the program has failed)
            return [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]
    problems = []
    status = wanted.get("exit_code", 0)
    if result.returncode != status:
        problems.append(f"status {result.returncode}, not {status}: {(result.stderr or b'').decode(errors='replace')[-300:]}")
    if "stdout" in wanted and (result.stdout or b"").decode(errors="replace") != wanted["stdout"]:
        problems.append(f"output {result.stdout!r}, not {wanted['stdout']!r}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
