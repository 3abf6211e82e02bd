"""What every suite is given: the options of this run, the guests, the engines."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.build import BuildError, native_path, wasm_path
from bench.engines import native
from bench.engines.protocol import Engine
from bench.engines.registry import open_engines
from bench.programs import BY_NAME, PROGRAMS, Program
from bench.results import SuiteResult
from bench.sources import SourceMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


@dataclass(slots=True, kw_only=True)
class Context:
    """`rounds`: how often candidates take turns. Empty `program_names` or `engine_names` mean all."""

    cache: Path
    rounds: int
    program_names: frozenset[str] = frozenset()
    engine_names: frozenset[str] = frozenset()
    large: bool = False
    runtimes: set[str] = field(default_factory=set)
    """Names and versions of what was used so far."""

    def say(self, message: str) -> None:
        """Progress, for whoever waits."""
        print(f"  {message}", file=sys.stderr, flush=True)

    def engines(self, names: Iterable[str], result: SuiteResult) -> dict[str, Engine]:
        """Those of the named engines that are wanted and here; the others are noted as skipped."""
        wanted = [name for name in names if not self.engine_names or name in self.engine_names]
        engines, missing = open_engines(wanted)
        result.skipped += missing
        self.runtimes.update(engine.runtime for engine in engines.values())
        return engines

    def programs(self, names: Iterable[str] | None = None) -> list[Program]:
        """The named programs (or all) that are wanted."""
        chosen = PROGRAMS if names is None else [BY_NAME[name] for name in names]
        return [program for program in chosen if not self.program_names or program.name in self.program_names]

    def wasm(self, name: str, result: SuiteResult) -> bytes | None:
        """The program's module; None, with the reason noted, where it cannot be built."""
        path = self._built(wasm_path, name, result)
        return None if path is None else path.read_bytes()

    def native(self, name: str, result: SuiteResult) -> Callable[[int], int] | None:
        """The program's `run` in native code; None, with the reason noted, where it cannot be built."""
        path = self._built(native_path, name, result)
        return None if path is None else native.open_program(path)

    def _built(self, build: Callable[[Program, Path], Path], name: str, result: SuiteResult) -> Path | None:
        try:
            return build(BY_NAME[name], self.cache)
        except (BuildError, SourceMissingError) as error:
            if str(error) not in result.skipped:
                result.skipped.append(str(error))
            return None
