"""Build the guests whose `.wasm` is checked in beside its source, and say which differ from what is there.

    python tools/build_guests.py           compare: exit status 1 where a build gives other bytes
    python tools/build_guests.py --write   replace what is checked in

The compiler is pinned (dependency group `guests`); its output does not depend on the machine or the folder, so a difference
means that a source or the pin has changed, and the new file belongs into the same change.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from purewasm_guest import include_path

ROOT: Final = Path(__file__).resolve().parents[1]
ZIG: Final = (sys.executable, "-m", "ziglang")
STACK_BYTES: Final = "16384"

Command = Callable[[Path, Path], list[str]]


def c_module(source: Path, output: Path) -> list[str]:
    """C without libc: exports only what the source marks."""
    target = ["--target=wasm32-freestanding", "-nostdlib", "-Os", "-Wall", "-Wextra", "-Werror"]
    link = ["-Wl,--no-entry", f"-Wl,-z,stack-size={STACK_BYTES}"]
    return [*ZIG, "cc", *target, "-I", str(include_path()), str(source), *link, "-o", str(output)]


def c_wasi_program(source: Path, output: Path) -> list[str]:
    """C with libc: a WASI command, exports `_start`."""
    link = ["-s", f"-Wl,-z,stack-size={4 * int(STACK_BYTES)}"]
    return [*ZIG, "cc", "--target=wasm32-wasi", "-Os", "-Wall", "-Wextra", "-Werror", str(source), *link, "-o", str(output)]


def c_wasi_call(source: Path, output: Path) -> list[str]:
    """C without libc that calls WASI as it is: a command, exports `_start`."""
    target = ["--target=wasm32-freestanding", "-nostdlib", "-Os", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-s"]
    return [*ZIG, "cc", *target, str(source), "-Wl,--no-entry", f"-Wl,-z,stack-size={STACK_BYTES}", "-o", str(output)]


def sdk_guest(source: Path, output: Path) -> list[str]:
    """Any language of the SDK, as its users build it."""
    return [sys.executable, "-m", "purewasm_guest", "build", str(source), "-o", str(output)]


def _all(folder: str, command: Command) -> Iterator[tuple[str, Command]]:
    return ((str(source.relative_to(ROOT)), command) for source in sorted((ROOT / folder).glob("*.c")))


GUESTS: Final[tuple[tuple[str, Command], ...]] = (
    ("guest-sdk/guests/global/c/guest.c", c_module),
    ("guest-sdk/guests/global/zig/guest.zig", sdk_guest),
    ("guest-sdk/guests/program/c/guest.c", c_module),
    ("guest-sdk/guests/program/zig/guest.zig", sdk_guest),
    ("examples/globals/guest.c", c_module),
    ("examples/wasi_cat/cat.c", c_wasi_program),
    *_all("hostmods/wasi/tests/guests", c_wasi_program),
    *_all("hostmods/wasi/tests/guests/calls", c_wasi_call),
)


def build(source: Path, command: Command) -> bytes:
    """The module that `source` makes. A compiler's complaint ends the program."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "guest.wasm"
        finished = subprocess.run(command(source, output), cwd=folder, capture_output=True, text=True, check=False)
        if finished.returncode or not output.is_file():
            sys.exit(f"{source} does not build:\n{finished.stdout}{finished.stderr}")
        return output.read_bytes()


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 where something that is checked in is not what its source makes."""
    parser = argparse.ArgumentParser(description="Build the guests that are checked in, and say which differ.")
    parser.add_argument("--write", action="store_true", help="replace the files that differ")
    write: bool = parser.parse_args(arguments).write
    changed = 0
    for name, command in GUESTS:
        source = ROOT / name
        target = source.with_suffix(".wasm")
        content = build(source, command)
        before = target.read_bytes() if target.is_file() else None
        same = content == before
        changed += not same
        if write and not same:
            target.write_bytes(content)
        state = "unchanged" if same else "written" if write else "missing" if before is None else "CHANGED"
        print(f"{state:9} {target.relative_to(ROOT)} ({len(content):,} bytes)")
    if changed and not write:
        print(f"{changed} of {len(GUESTS)} differ from what is checked in: nox -s guests -- --write replaces them")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
