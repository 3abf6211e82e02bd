from __future__ import annotations

import pytest

from core.tests.processors import PROCESSORS


@pytest.fixture(params=["haswell", "sandy-bridge", "penryn"])
def cpu(request: pytest.FixtureRequest) -> int:
    """Features that code is made for: all of them, AVX alone, SSE4.1 alone."""
    name: str = request.param
    return PROCESSORS[name]
