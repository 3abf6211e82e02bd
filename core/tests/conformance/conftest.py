"""One suite for every engine: `runtime` is a runtime of each that works here, with all proposals on. The compiler comes three times:
with guard pages, with explicit checks, and as on a processor that has nothing but SSE4.1."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from core.tests.processors import PROCESSORS, processor
from purewasm import Features, Runtime, WasmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENGINES = ("interpreter", "compiler")


def _has(engine: str) -> bool:
    try:
        Runtime(engine=engine).close()
    except WasmError:
        return False
    return True


AVAILABLE = tuple(engine for engine in ENGINES if _has(engine))
_CHECKED, _OLD = "compiler with checks", "compiler on an old processor"
WAYS = [*AVAILABLE, *([_CHECKED, _OLD] if "compiler" in AVAILABLE else [])]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine(way: str) -> str:
    return way.partition(" ")[0]


@pytest.fixture
def new_runtime(way: str, engine: str) -> Iterator[Callable[..., Runtime]]:
    """Makes runtimes of the engine with the options given; they are closed at the end."""
    made: list[Runtime] = []

    def make(**options: object) -> Runtime:
        runtime = Runtime(engine=engine, **{"features": Features.all(), "explicit_checks": way == _CHECKED, **options})
        made.append(runtime)
        return runtime

    with processor(PROCESSORS["penryn"]) if way == _OLD else nullcontext():
        yield make
        for runtime in made:
            runtime.close()


@pytest.fixture
def runtime(new_runtime: Callable[..., Runtime]) -> Runtime:
    return new_runtime()
