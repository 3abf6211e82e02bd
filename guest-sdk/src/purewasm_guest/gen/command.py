"""`purewasm gen ABI.toml …`: write what the files' `[generate]` tables name, or with `--check` say what is stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from purewasm_guest.gen import abi_file, assemblyscript, c, cases, docs, go, host, python, rust, zig
from purewasm_guest.gen.abi_file import AbiFile
from purewasm_guest.gen.pages import assemblyscript as page_assemblyscript
from purewasm_guest.gen.pages import c as page_c
from purewasm_guest.gen.pages import cases as page_cases
from purewasm_guest.gen.pages import docs as page_docs
from purewasm_guest.gen.pages import go as page_go
from purewasm_guest.gen.pages import host as page_host
from purewasm_guest.gen.pages import page_file
from purewasm_guest.gen.pages import python as page_python
from purewasm_guest.gen.pages import rust as page_rust
from purewasm_guest.gen.pages import zig as page_zig
from purewasm_guest.gen.pages.page_file import PageFile
from purewasm_guest.gen.toml_reader import AbiFileError, read_toml

WRITERS: Final[dict[str, Callable[[AbiFile], str]]] = {
    "host": host.write,
    "c": c.write,
    "zig": zig.write,
    "go": go.write,
    "rust": rust.write,
    "assemblyscript": assemblyscript.write,
    "python": python.write,
    "cases": cases.write,
}
PAGE_WRITERS: Final[dict[str, Callable[[PageFile], str]]] = {
    "host": page_host.write,
    "c": page_c.write,
    "zig": page_zig.write,
    "go": page_go.write,
    "rust": page_rust.write,
    "assemblyscript": page_assemblyscript.write,
    "python": page_python.write,
    "cases": page_cases.write,
}


def load(path: Path) -> AbiFile | PageFile:
    """Read an ABI file of either version: one with a `[page]` is of version 0."""
    return page_file.load_pages(path) if "page" in read_toml(path) else abi_file.load(path)


def generate(abi: AbiFile | PageFile) -> dict[Path, str]:
    """The content of every file that the ABI file asks for, by path."""
    if isinstance(abi, PageFile):
        found = {abi.outputs[target]: writer(abi) for target, writer in PAGE_WRITERS.items() if target in abi.outputs}
    else:
        found = {abi.outputs[target]: writer(abi) for target, writer in WRITERS.items() if target in abi.outputs}
    if "docs" in abi.outputs:
        path = abi.outputs["docs"]
        present = path.read_text(encoding="utf-8")
        found[path] = page_docs.write(abi, present) if isinstance(abi, PageFile) else docs.write(abi, present)
    return found


def stale(abi: AbiFile | PageFile) -> list[Path]:
    """The files that are not as the ABI file makes them."""
    return [path for path, text in generate(abi).items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 for stale files with `--check`, 2 for an ABI file that is wrong."""
    description = "Write the host stubs, guest SDKs, tables and conformance cases of ABI files."
    parser = argparse.ArgumentParser(prog="purewasm gen", description=description)
    parser.add_argument("files", metavar="ABI.toml", type=Path, nargs="+")
    parser.add_argument("--check", action="store_true", help="write nothing: exit status 1 where a file is stale")
    options = parser.parse_args(arguments)
    try:
        files = [load(path) for path in options.files]
        changed = [(abi, path) for abi in files for path in stale(abi)]
    except (OSError, AbiFileError, ValueError) as error:
        print(f"purewasm gen: {error}", file=sys.stderr)
        return 2
    for abi, path in changed:
        print(f"{'stale' if options.check else 'written'}: {path}")
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(generate(abi)[path], encoding="utf-8")
    return 1 if options.check and changed else 0
