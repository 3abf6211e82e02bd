"""Modules: validated code, ready to be instantiated any number of times (spec: structure, modules)."""

from __future__ import annotations

from purewasm.binary.decoder import decode_module
from purewasm.light_typing import TYPE_CHECKING, NamedTuple, final
from purewasm.store.descriptors import describe_function, format_extern_type
from purewasm.wasm import module as wm
from purewasm.wasm.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from purewasm.binary.names import Names
    from purewasm.engine.protocol import Preparation, SavedCode
    from purewasm.validate.module import BodiesFollow

    Prepare = Callable[[wm.WasmModule, Callable[[int], None]], Preparation | None]
    from purewasm.store.descriptors import FunctionType


class ImportDescriptor(NamedTuple):
    """An import: `kind` is func, table, memory, global or tag; `type` the text of its type."""

    module: str
    name: str
    kind: str
    type: str


class ExportDescriptor(NamedTuple):
    """An export: `kind` is func, table, memory, global or tag; `type` the text of its type, with parameter names where known."""

    name: str
    kind: str
    type: str


def validate_module(wasm: wm.WasmModule, features: Features, bodies_follow: BodiesFollow | None = None) -> None:
    """Raises `MalformedError` or `InvalidError`."""
    # Imported when there is something to validate: not where all modules were known to be valid.
    from purewasm.validate.module import validate_module

    validate_module(wasm, features, bodies_follow)


@final
class Module:
    """A decoded and validated module. Immutable: share it between runtimes and threads, pickle it (its bytes travel, not code)."""

    __slots__ = ("__weakref__", "_names", "codes", "features", "key", "prepared", "saved", "wasm")

    def __init__(
        self, source: bytes, features: Features = Features.WASM3, *, validated: bool = False, prepare: Prepare | None = None
    ) -> None:
        """Decode and validate a binary module. `MalformedError`, `InvalidError` or `UnsupportedError` where it is none.

        `validated` is for bytes that are known to have passed with these features: code of an invalid module can do anything.
        `prepare` is called before bodies are validated, with what does that for one of them: compiling may begin.
        """
        self.wasm = decode_module(source, features, known=validated)
        self.prepared: Preparation | None = None
        """What the engine has begun for it."""
        if not validated:
            self._validate(features, prepare)
        self.features = features
        self.key: bytes | None = None
        """SHA-256 of the bytes, once a cache has asked for it."""
        self.codes: dict[object, object] = {}
        """Compiled code by engine and options: alive as long as the module is."""
        self.saved: tuple[object, SavedCode] | None = None
        """Where code for one kind of engine and options can be had without compiling: of a module that was loaded."""
        self._names: Names | None = None

    def _validate(self, features: Features, prepare: Prepare | None) -> None:
        def bodies_follow(check: Callable[[int], None]) -> Callable[[], int] | None:
            if prepare is not None:
                self.prepared = prepare(self.wasm, check)
            return None if self.prepared is None else self.prepared.checked_from

        try:
            validate_module(self.wasm, features, bodies_follow)
            if self.prepared is not None:
                self.prepared.note_valid()
        except BaseException:
            if self.prepared is not None:
                self.prepared.stop()
            raise

    @property
    def names(self) -> Names:
        """The name section; empty where there is none or it is broken."""
        if self._names is None:
            from purewasm.binary.names import decode_names  # few programs look at them

            self._names = decode_names(self.wasm)
        return self._names

    @property
    def name(self) -> str | None:
        """The module's name in its name section, or None."""
        return self.names.module

    @property
    def source(self) -> bytes:
        """The module's bytes."""
        return self.wasm.source

    @property
    def imports(self) -> list[ImportDescriptor]:
        """What it imports, in order."""
        return [ImportDescriptor(i.module, i.name, wm.KIND_NAMES[i.kind], format_extern_type(i.kind, i.type)) for i in self.wasm.imports]

    @property
    def exports(self) -> list[ExportDescriptor]:
        """What it exports, in order."""
        return [ExportDescriptor(e.name, wm.KIND_NAMES[e.kind], self._export_type(e)) for e in self.wasm.exports]

    def _export_type(self, export: wm.Export) -> str:
        wasm, index = self.wasm, export.index
        if export.kind == wm.FUNC:
            return f"func {self.function_type(index)}"
        spaces: tuple[Sequence[object], ...] = ((), wasm.table_types, wasm.memory_types, wasm.global_types, wasm.tag_types)
        return format_extern_type(export.kind, spaces[export.kind][index])

    def function_type(self, index: int) -> FunctionType:
        """Type of the function at `index` of the function index space, with the parameters' names where the name section has them."""
        functype = self.wasm.func_types[index].func
        locals_ = self.names.locals.get(index, {})
        return describe_function(functype, tuple(locals_.get(i) for i in range(len(functype.params))))

    @property
    def custom_sections(self) -> dict[str, bytes]:
        """Contents of the custom sections by name; of several with one name the first."""
        found: dict[str, bytes] = {}
        for section in self.wasm.customs:
            found.setdefault(section.name, section.data)
        return found

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore, (self.wasm.source, self.features))

    def __repr__(self) -> str:
        wasm = self.wasm
        return f"<Module {self.name or 'without a name'}: {len(wasm.functions)} functions, {len(wasm.source)} bytes>"


def _restore(source: bytes, features: Features) -> Module:
    """A module out of a pickle: it was valid when it went in, and whoever can change a pickle needs no module to do harm."""
    return Module(source, features, validated=True)
