"""The runtime: one engine, the host modules registered with it, and the instances made by it."""

from __future__ import annotations

from purewasm.engine.protocol import CompileOptions
from purewasm.errors import LinkError, WasmError
from purewasm.light_typing import TYPE_CHECKING, Final, final
from purewasm.runtime.allocation import check_tables
from purewasm.runtime.config import RuntimeConfig
from purewasm.runtime.engines import make_engine
from purewasm.runtime.instantiation import allocate, initialise
from purewasm.runtime.module import Module
from purewasm.runtime.source import read_source
from purewasm.store.instance import Instance, run_all
from purewasm.store.meter import Meter
from purewasm.wasm import module as wm
from purewasm.wasm.features import Features
from purewasm.wasm.live import LiveSet
from purewasm.wasm.locks import process_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from purewasm.runtime.discovery import Need
    from purewasm.runtime.hostmodule import HostModule
    from purewasm.runtime.linker import Imports, Linker, Provider

_LINKING: Final = process_lock()


@final
class Runtime:
    """Compiles and runs modules. A context manager; closing it closes its instances.

        with Runtime() as runtime:
            instance = runtime.instantiate("(module (func (export \\"answer\\") (result i32) i32.const 42))")
            instance.exports.answer()

    Options are those of `RuntimeConfig`, given in a config object, as keywords, or both (keywords win).
    Different threads may call different instances at once.
    """

    def __init__(self, config: RuntimeConfig | None = None, /, **options: object) -> None:
        base = config if config is not None else RuntimeConfig()
        self.config = base.with_(**options) if options else base
        self._engine = make_engine(self.config)
        self._cache = self.config.cache
        self._options = CompileOptions(
            features=self.config.features,
            fuel=self.config.fuel,
            interruptible=self.config.interruptible,
            debug_info=self.config.debug_info,
        )
        self._code_key = (self._engine.name, self._options.features.bits, *self._options[1:])
        self._linker: Linker | None = None
        self._registered: dict[str, Provider] = {}
        self._names: dict[str, Instance] = {}
        self._instances: LiveSet[Instance] = LiveSet()
        self._host_modules: list[HostModule] = []
        self._closed = False

    @property
    def engine_name(self) -> str:
        """`compiler` or `interpreter`: what runs the code. A few modules cannot be compiled: see `Instance.engine_name`."""
        return self._engine.name

    # ---- modules

    def compile(self, source: bytes | bytearray | memoryview | str | PathLike[str] | Module) -> Module:
        """Decode and validate a module: bytes, a text in the text format (str), or the path of a .wasm or .wat file.

        Raises `MalformedError`, `InvalidError`, `UnsupportedError`, or an `OSError` for a file that cannot be read. Functions are
        compiled at their first call, or now where the runtime is eager.
        """
        self._check_open()
        if isinstance(source, Module):
            module = source
        else:
            data = read_source(source, self.config.features)
            if self._cache is None:
                engine, options = self._engine, self._options
                module = Module(data, self.config.features, prepare=lambda wasm, check: engine.prepare(wasm, check, options))
            else:
                module = self._cache.module(data, self._engine, self._options)
        if self.config.eager:
            self._engine.compile_all(self._code(module), self.config.workers, self.config.progress)
            if self._cache is not None:
                self._cache.save()
        return module

    def load(self, path: str | PathLike[str]) -> Module:
        """A module out of a file that `precompile` or `purewasm compile` made: neither validated nor compiled again.

        `OSError` for a file that cannot be read. `WasmError` for one that is no precompiled module, or was made by another version, for
        another processor or for other options; and for one that somebody else owns or can write to. Whoever can write to such a file
        can run anything in this process: load only what you would run as a program.
        """
        self._check_open()
        from purewasm.runtime.precompiled import open_precompiled  # few programs need it

        found = open_precompiled(path)
        found.check(self._options)
        reason = self._engine.why_refused(found.manifest.target, found.manifest.compiler)
        if reason is not None:
            raise WasmError(f"{found.name} cannot run here: {reason}")
        module = Module(found.source, Features.from_bits(found.manifest.features), validated=True)
        module.saved = self._code_key, found
        return module

    def precompile(
        self, source: bytes | bytearray | memoryview | str | PathLike[str] | Module, *, target: str | None = None
    ) -> bytes:
        """The bytes of a file for `load`: a module and machine code for all of it.

        `target` is `x86_64-linux` for every processor that the compiler can be used with, `x86_64-linux-v2` or `-v3` for those of that
        level, None for this one's. The runtime's own engine is not asked: code for another machine can be made anywhere.
        `UnsupportedError` for a module that the compiler does not take, `ValueError` for an unknown target, else what `compile` raises.
        """
        self._check_open()
        from purewasm.runtime.precompiled import precompile

        module = source if isinstance(source, Module) else Module(read_source(source, self.config.features), self.config.features)
        return precompile(module, self._options, target, self.config.workers, self.config.progress)

    def _code(self, module: Module) -> object:
        """Compiled code of a module for this runtime's engine and options: kept with the module, or in the shared cache."""
        key = self._code_key
        code = module.codes.get((key, self._engine.optimize_after))
        if code is None:
            of, saved = module.saved or (None, None)
            if of == key:
                made = self._engine.compile(module.wasm, self._options, saved)
            elif self._cache is not None:
                return self._cache.code(module, self._engine, self._options)
            else:
                made = self._engine.compile(module.wasm, self._options, None, module.prepared)
            code = module.codes.setdefault((key, self._engine.optimize_after), made)
        return code

    # ---- instances

    def instantiate(
        self,
        module: Module | bytes | bytearray | memoryview | str | PathLike[str],
        *,
        name: str | None = None,
        imports: Imports = None,
        fuel: int | None = None,
        initialize: bool = True,
    ) -> Instance:
        """Instantiate a module, or what `compile` accepts.

        `name` makes it importable by later instances. `imports` are host modules or `{module: {name: thing}}` for this instance
        only, and win over what is registered; a thing is a callable, Function, Memory, Table, Global or Tag. `fuel` limits all that
        it ever does (needs a runtime with `fuel=True`). The start function runs, then `_initialize` if there is one and `initialize`
        is true.

        Raises `LinkError` for imports that are missing or do not fit, for a name in use, and where the machine has no room for the
        instance; `Trap` (or what a host function raises) if initialisation fails.
        """
        self._check_open()
        if name is not None and name in self._names:
            raise LinkError(f"an instance named {name!r} exists already in this runtime")
        if fuel is not None and not self.config.fuel:
            raise ValueError("fuel needs a runtime with fuel=True")
        compiled = self.compile(module)
        own: Mapping[str, Provider] = {}
        if imports is not None:
            from purewasm.runtime.linker import provider_map  # few programs give any

            own = provider_map(imports)
        instance = self._link(compiled, name, own, fuel)
        try:
            initialise(instance)
        except MemoryError as error:
            raise _no_room(compiled, error) from error
        if compiled.wasm.start is not None:
            self._start(instance, compiled.wasm.start)
        if initialize:
            export = instance.export_index.get("_initialize")
            if export is not None and export.kind == wm.FUNC:
                self._start(instance, export.index)
        if name is not None:
            self.register_instance(name, instance)
        return instance

    def _link(self, module: Module, name: str | None, own: Mapping[str, Provider], fuel: int | None) -> Instance:
        engine, config = self._engine, self.config
        if len(module.wasm.tables) > 1:
            check_tables(module.wasm)
        instance = Instance(module.wasm, engine, Meter(), name=name, module=module)
        instance.interruptible, instance.counts_fuel = config.interruptible, config.fuel
        instance.call_limits = (config.timeout, config.call_fuel)
        try:
            instance.code = self._code(module)
            hosts = self._imports().link(instance, own) if module.wasm.imports else []
            if fuel is not None:
                instance.meter.budget = fuel
            engine.link(instance.code, instance)
            allocate(instance, engine, config.memory_limit_pages)
            engine.ready(instance)
        except MemoryError as error:
            raise _no_room(module, error) from error
        instance.publish()
        self._instances.add(instance)
        try:
            for host in hosts:
                self._attach(instance, host)
        except BaseException:
            instance.close()
            raise
        return instance

    def _imports(self) -> Linker:
        """Who finds what modules import."""
        if self._linker is None:
            from purewasm.runtime.linker import Linker  # a module may import nothing

            with _LINKING:
                if self._linker is None:
                    self._linker = Linker(self._engine, self.config.memory_limit_pages, self._registered)
        return self._linker

    @staticmethod
    def _attach(instance: Instance, host: HostModule) -> None:
        state = instance.host_states[host] = host.attach(instance)
        instance.on_close.append(lambda: host.detach(state))

    def _start(self, instance: Instance, index: int) -> None:
        """Call what begins, under the runtime's limits of a call."""
        timeout, fuel = instance.call_limits
        if instance.wasm.func_types[index].func.params:
            instance.function(index)()  # says what is wrong with an `_initialize` that takes something
        elif timeout is None and fuel is None:
            self._engine.start(instance, index)
        else:
            from purewasm.store.watchdog import limited

            limited(instance, timeout, fuel, self._engine.start, (instance, index))

    def instance(self, name: str) -> Instance:
        """The instance that was given or registered under this name. `LinkError` if there is none."""
        found = self._names.get(name)
        if found is None:
            raise LinkError(f"no instance named {name!r}: there are {', '.join(map(repr, self._names)) or 'none'}")
        return found

    @property
    def instance_names(self) -> list[str]:
        """Names under which instances can be imported."""
        return list(self._names)

    def provides(self, module: str) -> bool:
        """True where an instance or a host module is registered under this import module name."""
        return module in self._registered

    def resolve(self, module: Module | bytes | bytearray | memoryview | str | PathLike[str]) -> list[Need]:
        """The import modules that a module needs, and which registered, installed or known package provides each. Grants nothing."""
        from purewasm.runtime.discovery import needs  # few programs ask

        return needs(self.compile(module), self._registered)

    def register_instance(self, name: str, instance: Instance) -> None:
        """Make an instance importable under another name; a later one of the same name takes its place."""
        self._check_open()
        self._names[name] = instance
        self._registered[name] = instance
        instance.on_close.append(lambda: self._forget(name, instance))

    def _forget(self, name: str, instance: Instance) -> None:
        if self._names.get(name) is instance:
            del self._names[name]
            self._registered.pop(name, None)

    def register_host_module(self, host: HostModule) -> None:
        """Let instances made from now on import from a host module (what `host.register(runtime)` calls)."""
        self._check_open()
        for name in (host.name, *host.aliases):
            if name in self._registered:
                raise LinkError(f"a module named {name!r} is registered already in this runtime")
        for name in (host.name, *host.aliases):
            self._registered[name] = host
        self._host_modules.append(host)

    # ---- end

    @property
    def closed(self) -> bool:
        """True once `close` has been called."""
        return self._closed

    def close(self, exit_code: int | None = None) -> None:
        """Close all instances; calls that run raise `Interrupted`, or `GuestExit` with `exit_code` if that is given. Idempotent."""
        if self._closed:
            return
        self._closed = True
        instances, hosts = list(self._instances), self._host_modules
        for instance in instances:
            instance.meter.exit_status = exit_code
        self._host_modules = []
        self._names.clear()
        self._registered.clear()
        saving = [self._cache.save] if self._cache is not None else []
        run_all([*(instance.close for instance in instances), *(host.close for host in hosts), self._engine.close, *saving])

    def _check_open(self) -> None:
        if self._closed:
            raise WasmError("this runtime is closed")

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Runtime with the {self.engine_name}{' (closed)' if self._closed else ''}: {len(self._instances)} instances>"


def _no_room(module: Module, error: MemoryError) -> LinkError:
    return LinkError(f"no room for an instance of {module!r}: {str(error) or 'out of memory'}")
