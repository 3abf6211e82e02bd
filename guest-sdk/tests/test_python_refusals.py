"""What the compiler of Python guests refuses: the file, the place, what is wrong and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from purewasm_guest.build import BuildError, build
from purewasm_guest.python.compiler import compile_guest
from purewasm_guest.python.errors import CompileError

HEAD = """from dataclasses import dataclass
from purewasm_guest.python import export, host, i32, i64, u32, u64, f32, f64
from purewasm_guest.python.memory import reserve
@dataclass
class A:
    v: int
def nothing() -> None:
    pass
"""
LINE = HEAD.count("\n") + 3
BODIES = {
    "if len('x'):\n        x = 1\n    return x": "x may have no value here",
    "for i in range(3):\n        pass\n    return i": "i may have no value here",
    "x = 1": "f can end without `return`, but returns i64",
    "return {}": "guests have no dict: use two lists",
    "try:\n        pass\n    finally:\n        pass": "an exception is a trap",
    "return lambda: 1": "write a function",
    "return [i for i in (1, 2)]": "write a loop",
    "print(1)": "through a host module",
    "return i32(1) + i64(2)": "i32 and i64 do not go together: convert one of them",
    "x: i32 = 3000000000": "3000000000 does not fit i32: it holds -2147483648 to 2147483647",
    "x: u32 = -1": "-1 does not fit u32",
    "return 123456789012345678901234567890": "does not fit i64",
    "return 2 ** 2 ** 64": "the number is too large",
    "return 1 << (1 << 60)": "the number is too large",
    "return 1 // 0": "the constant has no value",
    "return int(1e999)": "inf does not fit i64",
    "return True + 1": "a bool is no number",
    "return None": "f returns i64",
    "return 'x'": "this is str where i64 is needed",
    "return 1.5": "1.5 is a number where i64 is needed",
    "return int(str(1.5))": "no text of f64",
    "a = 1\n    a = 'x'": "this is str where i64 is needed",
    "x = reserve(8)": "the value of a module's constant",
    "return int(A(1) == A(1))": "compare its fields",
    "return A(w=1).v": "A has no parameter w",
    "return A().v": "A needs its argument v",
    "return A(1).w": "A has no field w",
    "x = nothing()": "the call has no value",
    "x = [nothing()]": "a call in it has no value",
    "x = []": "is not known: write `name: list[int] = []`",
    "(1, 2)[0] = 3": "a tuple does not change",
    "a, b = f()": "`a, b = b, a`",
    "break": "'break' outside loop",
    "def g() -> int:\n        return 1": "no such statement",
    "return int(1 is 1)": "compare with ==",
    "return len(f'{1:02d}')": "no formats in f-strings",
    "return len('a'.upper())": "there is count, encode",
    "return f(1)": "f takes 0 arguments, not 1",
    "return missing": "there is no missing here",
    "return missing()": "there is no function missing",
    "return 'abc'[::2]": "no step in slices",
    "return len('\\ud800')": "surrogates",
    "x: dict[str, int] = 1": "is no type of guests",
    "return (": "this is no Python",
}
MODULES = {
    "import os\n": "there is no module os for guests",
    "from purewasm_guest.sdk.python import nix\n": "from purewasm_guest.sdk.python atomic, global_, globals, http, kv, log, mailbox, pipe",
    "from purewasm_guest.python import nix\n": "there is i32, i64",
    "def f() -> int:\n    return 1\n": "nothing is exported",
    "x = [1]\nfrom purewasm_guest.python import export\n@export\ndef f() -> int:\n    return x[0]\n": "a constant is",
    "class A:\n    pass\n": "has to be a @dataclass",
    "def f(x):\n    pass\n": "`x: int`, for example",
    "def f(*x: int) -> int:\n    return 1\n": "parameters of another kind",
    "for x in (1, 2):\n    pass\n": "not this",
    "a = b\nb = a\nfrom purewasm_guest.python import export\n@export\ndef f() -> int:\n    return a\n": "needs its own value",
    "from purewasm_guest.python import export\n@export\ndef f() -> int:\n    return " + "+".join("x" * 5000) + "\n": "",
    "from purewasm_guest.python import export\n@export('memory')\ndef f() -> None:\n    pass\n": "another export 'memory'",
    "from purewasm_guest.python import export\n@export\ndef f(x: list[str]) -> None:\n    pass\n": "lists of numbers, not list[str]",
    "\0": "",
}


@pytest.mark.parametrize("body", BODIES)
def test_a_function_outside_the_subset(tmp_path: Path, body: str) -> None:
    path = tmp_path / "guest.py"
    path.write_text(f"{HEAD}@export\ndef f() -> int:\n    {body}\n", encoding="utf-8")
    with pytest.raises(CompileError) as caught:
        compile_guest(path)
    message = str(caught.value)
    assert BODIES[body] in message
    assert message.startswith(f"{path}:")
    assert LINE - 1 <= caught.value.line <= LINE + 2


@pytest.mark.parametrize("text", MODULES, ids=range(len(MODULES)))
def test_a_module_outside_the_subset(tmp_path: Path, text: str) -> None:
    path = tmp_path / "guest.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CompileError) as caught:
        compile_guest(path)
    assert MODULES[text] in str(caught.value)


def test_modules_that_import_each_other(tmp_path: Path) -> None:
    (tmp_path / "guest.py").write_text("import other\n")
    (tmp_path / "other.py").write_text("import guest\n")
    with pytest.raises(CompileError, match="imports this module too"):
        compile_guest(tmp_path / "guest.py")


def test_the_command_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "guest.py").write_text("import os\n")
    with pytest.raises(BuildError, match=r"guest\.py:1:1: there is no module os"):
        build(tmp_path / "guest.py", tmp_path / "guest.wasm")
    assert not (tmp_path / "guest.wasm").exists()
