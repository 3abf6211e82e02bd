"""A guest whose page and cells a test lays out as it likes, and the test guests of the SDK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from purewasm import Runtime

GuestText = Callable[..., str]


def _guest_text(
    *,
    page: int = 16,
    cells: tuple[int, int, int, int] = (64, 72, 76, 128),
    memory: str = '(memory (export "memory") 1)',
    export: str | None = None,
    more: str = "",
) -> str:
    """A guest in the text format: its page of `cells` at address 16, `ask` calls the host, `pages_read` counts.

    `page` is what `__global` says (an address), `export` the whole `__global` instead, `more` further fields.
    """
    entries = "".join(f"\\{byte:02x}" for cell in cells for byte in cell.to_bytes(4, "little"))
    if export is None:
        export = f"""(func $page (export "__global") (result i32)
            (global.set $pages_read (i32.add (global.get $pages_read) (i32.const 1)))
            (i32.const {page}))"""
    return f"""(module
        (import "pantopic/wazero-global" "__global_get" (func $get))
        {memory}
        (global $pages_read (mut i32) (i32.const 0))
        (func (export "pages_read") (result i32) (global.get $pages_read))
        {'(data (i32.const 16) "' + entries + '")' if memory else ""}
        {export}
        (func (export "ask") (call $get))
        {more})"""


@pytest.fixture
def guest_text() -> GuestText:
    return _guest_text


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.fixture(params=["c", "zig"])
def sdk_guest(request: pytest.FixtureRequest) -> Path:
    """The test guest of the SDK in each language."""
    return Path(__file__).parents[3] / "guest-sdk" / "guests" / "global" / str(request.param) / "guest.wasm"
