"""The native engine's tests run where the engine runs; elsewhere they are skipped with its own reason.

Test modules import the engine's own modules inside of fixtures and tests: on other platforms they cannot be imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from purewasm import Runtime, WasmError


def _reason() -> str | None:
    try:
        Runtime(engine="compiler").close()
    except WasmError as error:
        return str(error)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    mine = [item for item in items if item.path.parent == here]
    reason = _reason() if mine else None
    if reason is not None:
        for item in mine:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime(engine="compiler") as made:
        yield made
