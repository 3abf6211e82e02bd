"""The pytest plugin: fixtures for tests of host modules and guests.

Found by its entry point in the group `pytest11`, which `purewasm-guest` has. pytest loads this file for everybody, so it imports nothing
but pytest: the rest is loaded when a test asks for a fixture.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from purewasm.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from purewasm import Module, Runtime
    from purewasm.hostmod import MailboxModule
    from purewasm.testing.fakes import FakeHost

ENGINES: Final = ("interpreter", "compiler")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--purewasm-engine`: one engine instead of both."""
    group = parser.getgroup("purewasm")
    group.addoption("--purewasm-engine", choices=ENGINES, default=None, help="run the tests of guests on this engine alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `purewasm_engine`, as `runtime` does, runs once for each engine."""
    if "purewasm_engine" in metafunc.fixturenames:
        one = metafunc.config.getoption("--purewasm-engine")
        metafunc.parametrize("purewasm_engine", (one,) if one else ENGINES, indirect=True)


@pytest.fixture
def purewasm_engine(request: pytest.FixtureRequest) -> str:
    """The name of an engine. A test is skipped where that engine cannot work."""
    from purewasm import Runtime, WasmError

    engine = str(request.param)
    try:
        Runtime(engine=engine).close()
    except WasmError as error:
        pytest.skip(str(error))
    return engine


@pytest.fixture
def new_runtime(purewasm_engine: str) -> Iterator[Callable[..., Runtime]]:
    """Makes runtimes of that engine with the options given; they are closed at the end of the test."""
    from purewasm import Runtime

    made: list[Runtime] = []

    def make(**options: object) -> Runtime:
        made.append(Runtime(engine=purewasm_engine, **options))
        return made[-1]

    yield make
    for runtime in made:
        runtime.close()


@pytest.fixture
def runtime(new_runtime: Callable[..., Runtime]) -> Runtime:
    """A runtime, of each engine in turn."""
    return new_runtime()


@pytest.fixture
def guest(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`guest("guest.c")`: the module that a source makes, for `runtime.instantiate`. The path is relative to the test's file. `sdk` names
    further host modules whose SDK it uses, as in `purewasm_guest.build`.

    Sources in the text format and modules are taken as they are; other languages are built once a session by `purewasm_guest.build`,
    and a test is skipped where their compiler is not installed.
    """
    folder = request.path.parent
    built: dict[tuple[object, ...], Path] = request.config.stash.setdefault(_BUILT, {})

    def make(source: str | Path, *, sdk: Sequence[str | Path] = ()) -> Path:
        path = (folder / source).resolve()
        if path.suffix in (".wat", ".wasm"):
            return path
        key = (path, *sdk)
        if key not in built:
            built[key] = _build(path, tmp_path_factory.mktemp("guest") / f"{path.stem}.wasm", sdk)
        return built[key]

    return make


_BUILT: Final = pytest.StashKey[dict[tuple[object, ...], Path]]()


def _build(source: Path, output: Path, sdk: Sequence[str | Path]) -> Path:
    build = pytest.importorskip("purewasm_guest.build", reason="needs purewasm-guest, which builds guests")
    try:
        build.build(source, output, sdk=sdk)
    except build.ToolMissingError as error:
        pytest.skip(str(error))
    return output


@pytest.fixture
def fake_host() -> Iterator[Callable[..., FakeHost]]:
    """Makes `FakeHost`s. At the end of the test each strict one is verified: what its script says has to have happened."""
    from purewasm.testing.fakes import FakeHost

    made: list[FakeHost] = []

    def make(kind: type[MailboxModule] | str, guest: Module | None = None, *, strict: bool = True) -> FakeHost:
        made.append(FakeHost(kind, guest, strict=strict))
        return made[-1]

    yield make
    for fake in made:
        if fake.strict:
            fake.verify()
