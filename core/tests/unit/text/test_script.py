"""Scripts of the testsuite."""

from __future__ import annotations

import pytest

from purewasm.errors import MalformedError
from purewasm.text.script import (
    AssertAction,
    AssertModule,
    AssertReturn,
    Either,
    Get,
    InstanceCommand,
    Invoke,
    LanesPattern,
    ModuleCommand,
    ModuleSource,
    NanPattern,
    Register,
    Thread,
    Value,
    Wait,
    parse_script,
)


def test_modules() -> None:
    script = """(module)
      (module $a (func) ;; kept
      )
      (module $b binary "\\00asm" "\\01")
      (module quote "(func" ")")
      (module definition $d (memory 1))
      (module instance $i $d)
      (module instance)
      (register "n" $i) (register "m")"""
    assert parse_script(script) == [
        ModuleCommand(1, ModuleSource("(module)", False, None), False),
        ModuleCommand(2, ModuleSource("(module $a (func) ;; kept\n      )", False, "$a"), False),
        ModuleCommand(4, ModuleSource(b"\0asm\1", True, "$b"), False),
        ModuleCommand(5, ModuleSource(b"(func )", False, None), False),
        ModuleCommand(6, ModuleSource("(module $d (memory 1))", False, "$d"), True),
        InstanceCommand(7, "$i", "$d"),
        InstanceCommand(8, None, None),
        Register(9, "n", "$i"),
        Register(9, "m", None),
    ]


def test_actions_and_values() -> None:
    script = """(invoke "f") (invoke $m "g" (i32.const -1) (f32.const 1) (v128.const i64x2 1 2) (ref.null func) (ref.extern 7))
      (get $m "x") (assert_return (get "y") (i64.const 5))"""
    arguments = (
        Value("i32", 2**32 - 1),
        Value("f32", 0x3F80_0000),
        Value("v128", bytes([1, *[0] * 7, 2, *[0] * 7])),
        Value("ref.null", None),
        Value("ref.extern", 7),
    )
    assert parse_script(script) == [
        Invoke(1, None, "f", ()),
        Invoke(1, "$m", "g", arguments),
        Get(2, "$m", "x"),
        AssertReturn(2, Get(2, None, "y"), (Value("i64", 5),)),
    ]


def test_patterns() -> None:
    script = """(assert_return (invoke "f") (f32.const nan:canonical) (f64.const nan:arithmetic) (v128.const f32x4 1 nan:canonical 2 3)
      (either (i32.const 1) (i32.const 2)) (ref.func) (ref.i31) (ref.null))"""
    lanes = (Value("f32", 0x3F80_0000), NanPattern("f32", True), Value("f32", 0x4000_0000), Value("f32", 0x4040_0000))
    expected = (
        NanPattern("f32", True),
        NanPattern("f64", False),
        LanesPattern("f32x4", lanes),
        Either((Value("i32", 1), Value("i32", 2))),
        Value("ref.func", None),
        Value("ref.i31", None),
        Value("ref.null", None),
    )
    assert parse_script(script) == [AssertReturn(1, Invoke(1, None, "f", ()), expected)]


def test_assertions() -> None:
    script = """(assert_trap (invoke "f") "unreachable") (assert_trap (module (start 0)) "unreachable")
      (assert_exhaustion (invoke "f") "call stack exhausted") (assert_exception (invoke "f"))
      (assert_malformed (module quote "(") "unexpected") (assert_invalid (module) "no") (assert_unlinkable (module binary) "unknown")
      (assert_malformed_custom (module quote "(@custom)") "@custom") (assert_invalid_custom (module) "@x")"""
    call = Invoke(1, None, "f", ())
    assert parse_script(script) == [
        AssertAction(1, "trap", call, "unreachable"),
        AssertModule(1, "trap", ModuleSource("(module (start 0))", False, None), "unreachable"),
        AssertAction(2, "exhaustion", call._replace(line=2), "call stack exhausted"),
        AssertAction(2, "exception", call._replace(line=2), ""),
        AssertModule(3, "malformed", ModuleSource(b"(", False, None), "unexpected"),
        AssertModule(3, "invalid", ModuleSource("(module)", False, None), "no"),
        AssertModule(3, "unlinkable", ModuleSource(b"", True, None), "unknown"),
        AssertModule(4, "malformed_custom", ModuleSource(b"(@custom)", False, None), "@custom"),
        AssertModule(4, "invalid_custom", ModuleSource("(module)", False, None), "@x"),
    ]


def test_threads() -> None:
    script = '(thread $t (shared (module $m)) (register "mem" $m) (invoke "f")) (wait $t)'
    assert parse_script(script) == [
        Thread(1, "$t", ("$m",), (Register(1, "mem", "$m"), Invoke(1, None, "f", ()))),
        Wait(1, "$t"),
    ]


def test_a_text_without_commands_is_a_module() -> None:
    assert parse_script("(func) (memory 0)") == [ModuleCommand(1, ModuleSource("(func) (memory 0)", False, None), False)]


def test_an_empty_script() -> None:
    assert parse_script(" ;; nothing") == []


@pytest.mark.parametrize(
    "script",
    [
        "(module) x",
        "(module) (bogus)",
        "(module",
        '(invoke "f" (i32.const))',
        '(invoke "f" (bogus))',
        "(assert_return (module) (i32.const 1))",
        '(invoke "f" (f32.const nan:canonical))',
        "(register)",
        "(module x)",
    ],
)
def test_malformed_scripts(script: str) -> None:
    with pytest.raises(MalformedError):
        parse_script(script)
