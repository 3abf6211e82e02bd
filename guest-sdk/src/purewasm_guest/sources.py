"""Where the SDK's sources lie: files of this package, to be named on a compiler's command line."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

SHARED_ZIG: Final = "purewasm_mailbox"
"""The Zig module that others may import."""
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


_FOLDERS: Final = {
    ".c": _SDK / "c",
    ".zig": _SDK / "zig",
    ".go": _SDK / "go",
    ".ts": _SDK / "assemblyscript",
    ".rs": _SDK / "rust",
    ".py": _SDK / "python",
}


def sdk_folder(name: str | Path) -> Path:
    """The SDK of a further host module: a folder, or the folder `sdk` of an installed distribution such as `acme-greeter`."""
    if Path(name).is_dir():
        return Path(name)
    package = str(name).replace("-", "_")
    found = find_spec(package) if package.isidentifier() else None
    for place in (found.submodule_search_locations or [] if found is not None else []):
        if (folder := Path(place, "sdk")).is_dir():
            return folder
    raise LookupError(f"there is no SDK {str(name)!r}: it is a folder, or an installed distribution whose package has a folder `sdk`")


def with_sdks(suffix: str, sdks: Sequence[str | Path], target: Path) -> Path:
    """The SDK of a language (by its ending), with the files of that language in further ones (see `sdk_folder`).
    Without any it is this package's own folder, else the new folder `target`."""
    own = _FOLDERS[suffix]
    kind = ".h" if suffix == ".c" else suffix
    further = [path for folder in map(sdk_folder, sdks) for path in sorted(folder.rglob(f"*{kind}"))]
    if not further:
        return own
    shutil.copytree(own, target)
    for path in further:
        place = target / ("src" if suffix == ".rs" else path.parent.name if suffix == ".go" else "") / path.name
        place.parent.mkdir(exist_ok=True)
        shutil.copy(path, place)
        if suffix == ".rs":
            with (target / "src" / "lib.rs").open("a", encoding="utf-8") as crate:
                crate.write(f'#[cfg(feature = "{path.stem}")]\npub mod {path.stem};\n')
    return target
