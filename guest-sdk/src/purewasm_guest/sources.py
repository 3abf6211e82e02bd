"""Where the SDK's sources lie: files of this package, to be named on a compiler's command line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_SDK: Final = Path(__file__).parent / "sdk"


def include_path() -> Path:
    """The folder of the C headers, for `-I`: `#include <purewasm_global.h>`."""
    return _SDK / "c"


def zig_modules() -> dict[str, Path]:
    """The Zig sources by module name: `purewasm_global`, and `purewasm_mailbox`, which the others may import."""
    return {path.stem: path for path in sorted((_SDK / "zig").glob("purewasm_*.zig"))}


def zig_module(name: str) -> Path:
    """The Zig source of the SDK of host module `name` ("global"). `LookupError` names those that there are."""
    known = zig_modules()
    if f"purewasm_{name}" not in known:
        names = ", ".join(module.removeprefix("purewasm_") for module in known)
        raise LookupError(f"there is no Zig SDK of a host module {name!r}; there is one of: {names}")
    return known[f"purewasm_{name}"]


def go_module() -> Path:
    """The folder of the Go module `purewasm`, for a `replace` in go.mod: `import "purewasm/kv"`."""
    return _SDK / "go"


def assemblyscript_path() -> Path:
    """The folder of the AssemblyScript files; `purewasm_guest.build` puts it beside the guest as `purewasm`."""
    return _SDK / "assemblyscript"


def rust_crate() -> Path:
    """The folder of the Rust crate `purewasm-guest`, for a path dependency in Cargo.toml."""
    return _SDK / "rust"
