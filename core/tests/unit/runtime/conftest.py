"""The behaviour of the public API, on every engine that works here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.tests.conformance.conftest import AVAILABLE
from purewasm import Features, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=AVAILABLE)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of an engine."""
    return str(request.param)


@pytest.fixture
def new_runtime(engine: str) -> Iterator[Callable[..., Runtime]]:
    """Makes runtimes of that engine; they are closed at the end."""
    made: list[Runtime] = []

    def make(**options: object) -> Runtime:
        made.append(Runtime(engine=engine, **{"features": Features.all(), **options}))
        return made[-1]

    yield make
    for runtime in made:
        runtime.close()


@pytest.fixture
def runtime(new_runtime: Callable[..., Runtime]) -> Runtime:
    """One runtime."""
    return new_runtime()
