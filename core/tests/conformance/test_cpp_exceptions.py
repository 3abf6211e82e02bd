"""A C++ program whose exceptions are those of WebAssembly, in both forms. Skipped where there is no `ziglang`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from purewasm import GuestException, HostModule, Runtime

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ziglang") is None, reason="needs the compiler in the package ziglang"),
]

_SOURCES = Path(__file__).parent / "cpp"
_OPTIONS = (
    "-target", "wasm32-freestanding", "-mcpu=lime1+exception_handling+reference_types", "-fwasm-exceptions", "-fno-rtti", "-O1",
    "-nostdlib", "-Wl,--no-entry",
)  # fmt: skip


@pytest.fixture(scope="module", params=["exceptions", "legacy"])
def guest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    form = "true" if request.param == "legacy" else "false"
    made = tmp_path_factory.mktemp("cpp") / "guest.wasm"
    sources = [str(_SOURCES / name) for name in ("unwinding.cpp", "tag.s")]
    command = [sys.executable, "-m", "ziglang", "c++", *_OPTIONS, "-mllvm", f"-wasm-use-legacy-eh={form}", *sources, "-o", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made


def _expected(turns: int) -> tuple[int, list[tuple[int, int]]]:
    """What `run` gives and prints."""
    total, printed = 0, []
    for i in range(turns):
        last = 0 if i < 7 else 7
        printed += [(1, n) for n in range(last, i + 1)]
        printed.append((2, i))
        total = total * 3 + i
        if i & 1:
            total += 100
            printed.append((3, total))
        else:
            total += 7
        printed.append((1, i * 10))
    return total, printed


def test_destructors_and_handlers_run(new_runtime: Callable[..., Runtime], guest: Path) -> None:
    printed: list[tuple[int, int]] = []
    env = HostModule("env")
    env.add_function("print", lambda *values: printed.append(values), ("i32", "i32"), ())
    instance = new_runtime().instantiate(guest, imports=[env])
    for turns in (0, 1, 5, 12):
        printed.clear()
        result = instance.exports.run(turns)
        assert (result, printed) == _expected(turns)
    printed.clear()
    with pytest.raises(GuestException):
        instance.exports.out(9)
    assert printed == [(1, 7), (1, 8), (1, 9), (1, -1)]
