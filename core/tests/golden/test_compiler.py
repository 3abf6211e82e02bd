"""Stages of the compiler as text, compared with recorded ones: `compiler/NAME.golden` holds a module, and after it stages by name.

    (module …)
    ==== ir
    …
    ==== asm
    …

The last function of the module is shown; stages whose names begin with `loop` are those of its first loop alone. After a change that is
meant, run `pytest core/tests/golden --update-golden`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from purewasm.backend.machine_code import TargetOptions
from purewasm.binary.body import decode_body
from purewasm.binary.decoder import decode_module
from purewasm.isa.x64.cpu import X86_64_V3
from purewasm.isa.x64.inspection import stages
from purewasm.text.assembler import assemble
from purewasm.validate.module import validate_module
from purewasm.wasm.features import Features

_FOLDER = Path(__file__).parent / "compiler"
_MARK = "==== "


def _compile(text: str) -> dict[str, str]:
    module = decode_module(assemble(text, Features.all()), Features.all())
    validate_module(module, Features.all())
    options, last = TargetOptions(X86_64_V3), len(module.func_types) - 1
    made = stages(module, last, options)
    body = decode_body(module, module.codes[-1])
    if 0x03 in body.ops:
        of_loop = stages(module, last, options, body.offsets[body.ops.index(0x03)])
        made |= {f"loop {name}": text for name, text in of_loop.items()}
    return made


@pytest.mark.parametrize("path", sorted(_FOLDER.glob("*.golden")), ids=lambda path: path.stem)
def test_stages_are_as_recorded(path: Path, update_golden: bool) -> None:
    recorded = path.read_text(encoding="utf-8")
    source, *sections = recorded.split(f"\n{_MARK}")
    names = [section.partition("\n")[0] for section in sections] or ["ir", "allocated", "asm"]
    made = _compile(source)
    text = source + "".join(f"\n{_MARK}{name}\n{made[name].rstrip()}" for name in names) + "\n"
    if update_golden:
        path.write_text(text, encoding="utf-8")
    assert recorded.rstrip() == text.rstrip()


def test_there_are_golden_files() -> None:
    assert len(list(_FOLDER.glob("*.golden"))) >= 5
