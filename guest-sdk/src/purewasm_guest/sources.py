"""Where the SDK's sources lie: files of this package, to be named on a compiler's command line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_SDK: Final = Path(__file__).parent / "sdk"


def include_path() -> Path:
    """The folder of the C headers, for `-I`: `#include <purewasm_global.h>`."""
    return _SDK / "c"


def zig_module(name: str) -> Path:
    """The Zig source of the SDK of host module `name` ("global"). `LookupError` names those that there are."""
    folder = _SDK / "zig"
    known = sorted(path.stem.removeprefix("purewasm_") for path in folder.glob("purewasm_*.zig"))
    if name not in known:
        raise LookupError(f"there is no Zig SDK of a host module {name!r}; there is one of: {', '.join(known)}")
    return folder / f"purewasm_{name}.zig"
