"""Where the official testsuite is, which of its files are run, and with which features."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, NamedTuple

from purewasm.wasm.features import Features

_CHECKOUT: Final = Path(__file__).resolve().parents[3]
HOW_TO_GET: Final = (
    "check out WebAssembly/testsuite as ../shared/spec beside this repository, "
    "or name the folder that holds i32.wast in the environment variable PUREWASM_SPEC"
)

# The threads proposal builds on the first version of the spec: its files say that two memories or tables are an error.
_THREADS: Final = Features.WASM1.with_("threads", "sign-extension", "saturating-float-to-int", "multi-value", "bulk-memory")
FOLDERS: Final[dict[str, Features]] = {
    ".": Features.WASM3,
    "custom": Features.WASM3,
    "legacy": Features.WASM3.with_("legacy-exceptions"),
    "proposals/threads": _THREADS,
    "proposals/custom-page-sizes": Features.WASM3.with_("custom-page-sizes"),
    "proposals/wide-arithmetic": Features.WASM3.with_("wide-arithmetic"),
}
"""Folders of the suite that are run, and what their files need."""


class Script(NamedTuple):
    """A file of the suite: its path from the suite's root, and the features that it needs."""

    name: str
    path: Path
    features: Features


def find_suite() -> Path | None:
    """The suite's folder, or None."""
    folder = Path(os.environ.get("PUREWASM_SPEC") or _CHECKOUT.parent / "shared" / "spec")
    return folder.resolve() if (folder / "i32.wast").is_file() else None


def scripts(suite: Path) -> list[Script]:
    """All files that are run, the largest first so that processes end together."""
    found = [
        Script((Path(folder) / path.name).as_posix(), path, features)
        for folder, features in FOLDERS.items()
        for path in (suite / folder).glob("*.wast")
    ]
    return sorted(found, key=lambda script: (-script.path.stat().st_size, script.name))
