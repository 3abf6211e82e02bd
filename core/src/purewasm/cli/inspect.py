"""`purewasm inspect`: what a module needs, what it offers, what it is made of; or what the engines make of a function."""

from __future__ import annotations

from functools import partial
from itertools import groupby

from purewasm.binary.reader import Reader
from purewasm.cli import plugins
from purewasm.cli.inspect_function import OPTIMIZED, PYTHON, TIERS, show_function
from purewasm.cli.parser import CommandParser, FeatureOptions, add_features
from purewasm.cli.sources import load
from purewasm.light_typing import TYPE_CHECKING, Final
from purewasm.runtime.discovery import need, split_import_name
from purewasm.store.descriptors import format_extern_type
from purewasm.wasm import module as wm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from purewasm.runtime.module import ImportDescriptor, Module

_SUMMARY: Final = (
    "Show imports and the packages that provide them, exports, memories, tables, tags and sections of a module;\n"
    "or what the engines make of a function, which is named by an export, a debug name or its index."
)
_EXAMPLES: Final = (
    "purewasm inspect guest.wasm",
    "purewasm inspect guest.wat --asm add",
    "purewasm inspect guest.wasm --asm add --tier baseline",
    "purewasm inspect guest.wasm --ir 12 --stage allocated 12",
)
_SECTION_NAMES: Final = (
    "custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count", "tag",
)  # fmt: skip
_HEADER_BYTES: Final = 8


class Options(FeatureOptions):
    """What the command line says."""

    file: str
    shown: list[tuple[str, str]]
    """(stage, function) each."""
    tier: str


def main(arguments: Sequence[str]) -> int:
    """Print the description."""
    parser = CommandParser("inspect", _SUMMARY, _EXAMPLES)
    rows = parser.rows
    rows.positional("file", "FILE", "a .wasm or .wat file, or - for standard input")
    for stage, what in (("ir", "intermediate code"), ("asm", "machine code")):
        rows.option(
            f"--{stage}", target="shown", repeated=True, metavar="FUNCTION", convert=partial(_at_stage, stage), help=f"show its {what}"
        )
    rows.option(
        "--stage", target="shown", repeated=True, metavar=("NAME", "FUNCTION"),
        help=f"show it at a stage of the compiler (ir, allocated, asm), or as the interpreter's {PYTHON} code",
    )  # fmt: skip
    rows.option(
        "--tier", default=OPTIMIZED, choices=TIERS, help="which machine code: what hot functions have (default), or what all start with"
    )
    add_features(rows, default="all")
    options = parser.parse(arguments, Options())
    module = load(options.file, options.chosen_features)
    if not options.shown:
        for line in describe(module, options.file):
            print(line)
    for number, (stage, function) in enumerate(options.shown or ()):
        if number:
            print()
        for line in show_function(module, options.file, function, stage, options.tier):
            print(line)
    return 0


def _at_stage(stage: str, function: str) -> tuple[str, str]:
    return stage, function


def describe(module: Module, file: str) -> Iterator[str]:
    """The lines about a module."""
    name = f", module {_quoted(module.name)}" if module.name is not None else ""
    yield f"{file}: {len(module.source):,} bytes{name}"
    from purewasm.isa.x64.support import unsupported  # it is part of the compiler: not where only a function is shown as Python code

    reason = unsupported(module.wasm)
    if reason is not None:
        yield f"the interpreter runs this module, also where there is the compiler: {reason}"
    yield from _imports(module)
    yield from _exports(module)
    yield from _definitions(module)
    yield from _sections(module)


def _quoted(name: str) -> str:
    """A name as a guest wrote it, on one line and without control characters."""
    return "".join(character if character.isprintable() else f"\\u{{{ord(character):x}}}" for character in name)


def _imports(module: Module) -> Iterator[str]:
    if not module.imports:
        return
    installed = plugins.find(plugins.HOST_MODULES)
    yield "\nimports"
    for name, items in groupby(sorted(module.imports, key=lambda item: item.module), key=lambda item: item.module):
        wanted = list(items)
        found = need(name, tuple(item.name for item in wanted), set(), installed)
        yield f"  {_quoted(name) or '(a module without a name)'}: {found.note}{_abi(module, name, wanted)}"
        for item in wanted:
            yield f"    {_quoted(item.name)}: {item.type}"


def _abi(module: Module, name: str, wanted: Sequence[ImportDescriptor]) -> str:
    """Which version of the ABI of host modules the guest speaks, as far as its names and the section `hostmods` tell."""
    base, major = split_import_name(name)
    if major is None:
        pages = (export.name for export in module.exports if export.type == "func () -> i32" and export.name.startswith("__"))
        is_page = any(all(item.name.startswith(page) and item.type == "func () -> ()" for item in wanted) for page in pages)
        return "; ABI version 0" if is_page else ""
    content = module.custom_sections.get("hostmods")
    built = None
    if content is not None:
        try:
            from purewasm.hostmod.versions import built_against

            built = built_against(content).get(base)
        except (ImportError, ValueError):
            pass  # no msgpack here, or a broken section: the name still tells the major version
    return f"; ABI version {major}" if built is None else "; ABI version {}.{}".format(*built)


def _exports(module: Module) -> Iterator[str]:
    if module.exports:
        yield "\nexports"
    for export in module.exports:
        yield f"  {_quoted(export.name)}: {export.type}"


def _definitions(module: Module) -> Iterator[str]:
    """Memories, tables, globals and tags that are the module's own, and its start function."""
    wasm = module.wasm
    spaces: tuple[tuple[int, Sequence[object], int], ...] = (
        (wm.MEMORY, wasm.memory_types, wasm.imported_memories),
        (wm.TABLE, wasm.table_types, wasm.imported_tables),
        (wm.TAG, wasm.tag_types, wasm.imported_tags),
    )
    lines = [
        f"  {wm.KIND_NAMES[kind]} {index}: {format_extern_type(kind, types[index])}"
        for kind, types, imported in spaces
        for index in range(imported, len(types))
    ]
    if wasm.start is not None:
        lines.append(f"  start: function {wasm.start}{_function_name(module, wasm.start)}")
    lines += [
        f"  {count:,} {what}{'' if count == 1 else 's'}"
        for count, what in (
            (len(wasm.types), "type"), (len(wasm.functions), "function"), (len(wasm.globals), "global"),
            (len(wasm.elements), "element segment"), (len(wasm.data), "data segment"),
        )
        if count
    ]  # fmt: skip
    if lines:
        yield "\ndefines"
        yield from lines


def _function_name(module: Module, index: int) -> str:
    name = module.names.functions.get(index)
    return "" if name is None else f" ({_quoted(name)})"


def _sections(module: Module) -> Iterator[str]:
    customs = iter(module.wasm.customs)
    lines = []
    for section, size in _section_sizes(module.source):
        detail = f" {_quoted(next(customs).name)!r}" if section == 0 else ""
        lines.append(f"  {_SECTION_NAMES[section]}{detail}: {size:,} bytes")
    if lines:
        yield "\nsections"
        yield from lines


def _section_sizes(source: bytes) -> Iterator[tuple[int, int]]:
    """(id, bytes of the content) of each section of a module that is known to be well formed."""
    at = _HEADER_BYTES
    while at < len(source):
        reader = Reader(source, at, len(source))
        section, size = reader.byte(), reader.u32()
        at = reader.position + size
        yield section, size
