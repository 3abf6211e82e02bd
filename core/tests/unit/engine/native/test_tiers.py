"""When functions and loops get better code: what the engine does when baseline code asks. The baseline code here is made by hand."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Final

import pytest

from purewasm import Features, Instance, Runtime, Trap
from purewasm.backend.machine_code import HIDDEN_PLACE, MachineCode
from purewasm.ir.builtins import ENTER_LOOP, OPTIMIZE
from purewasm.store import layout

if TYPE_CHECKING:

    from purewasm.backend.machine_code import TargetOptions
    from purewasm.engine.native.assembler import Assembler
    from purewasm.engine.native.module_code import ModuleCode
    from purewasm.engine.native.space import Space
    from purewasm.engine.native.variant import Variant
    from purewasm.wasm.module import WasmModule

GUEST: Final = """(module $guest
  (func $sum (export "sum") (param $n i32) (result i32) (local $s i32)
    (loop $l
      (local.set $s (i32.add (local.get $s) (local.get $n)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func (export "twice") (param i32) (result i32) (i32.add (call $sum (local.get 0)) (call $sum (local.get 0))))
  (table (export "table") funcref (elem $sum)))"""
SUM: Final = 0
_FRAME: Final = 40
_LOCALS: Final = 8
_OPERANDS: Final = 24
_STRIDE: Final = 8


class HandMade:
    """Makes baseline code and loops of `sum`, and counts what is asked for."""

    asked: ClassVar[list[tuple[str, int]]]
    traps_in_loop = False

    def __init__(self, module: WasmModule, options: TargetOptions) -> None:
        from purewasm.engine.native.compilers import ModuleCompilers

        self._module, self._own = module, ModuleCompilers(module, options)

    def optimized(self, index: int) -> MachineCode:
        self.asked.append(("optimized", index))
        return self._own.optimized(index)

    def baseline(self, index: int) -> MachineCode | None:
        if index != SUM:
            return None
        self.asked.append(("baseline", index))
        return hand_made_sum(len(self._module.func_types), place_of_loop(self._module))

    def loop(self, index: int, place: int) -> MachineCode:
        self.asked.append(("loop", place))
        return hand_made_loop(index, place, traps=self.traps_in_loop)


def place_of_loop(module: WasmModule) -> int:
    from purewasm.binary.body import decode_body

    body = decode_body(module, module.codes[0])
    return body.offsets[body.ops.index(3)]


def count_down(a: Assembler, functions: int, hot: str) -> None:
    from purewasm.isa.x64.address import Mem
    from purewasm.isa.x64.conditions import CC_S
    from purewasm.isa.x64.integer import SUB_RM64_IMM8
    from purewasm.isa.x64.registers import R14, RAX

    a.load(RAX, R14, layout.SLOTS)
    a.put(SUB_RM64_IMM8(Mem(RAX, 8 * (functions + SUM)), 1))
    a.jump_if(CC_S, hot)


def hand_made_sum(functions: int, place: int) -> MachineCode:
    from purewasm.engine.native.assembler import Assembler
    from purewasm.isa.x64.address import Mem
    from purewasm.isa.x64.conditions import CC_E, CC_NE
    from purewasm.isa.x64.control import CALL_RM64, JMP_RM64, RET
    from purewasm.isa.x64.integer import ADD_RM32_R32, ADD_RM64_IMM8, CMP_RM64_R64, SUB_RM32_IMM8, SUB_RM64_IMM8, TEST_RM64_R64
    from purewasm.isa.x64.memory import MOV_R32_RM32
    from purewasm.isa.x64.registers import R10, R11, R14, RAX, RDI, RDX, RSI, RSP

    a = Assembler()
    a.label("start")
    count_down(a, functions, "hot")
    a.label("body")
    a.put(SUB_RM64_IMM8(RSP, _FRAME))
    body_offset = len(a.code)
    a.store(RSP, _LOCALS, RDI)
    a.constant(RAX, 0)
    a.store(RSP, _LOCALS + _STRIDE, RAX)
    a.label("head")
    count_down(a, functions, "hot loop")
    a.label("turn")
    a.put(MOV_R32_RM32(RAX, Mem(RSP, _LOCALS)), ADD_RM32_R32(Mem(RSP, _LOCALS + _STRIDE), RAX), SUB_RM32_IMM8(Mem(RSP, _LOCALS), 1))
    a.jump_if(CC_NE, "head")
    a.label("end")
    a.load(RAX, RSP, _LOCALS + _STRIDE)
    a.put(ADD_RM64_IMM8(RSP, _FRAME), RET())
    a.label("hot")
    a.address_of(R10, "start")
    a.put(CMP_RM64_R64(Mem(RAX, 8 * SUM), R10))
    a.jump_if(CC_E, "optimize")
    a.put(JMP_RM64(Mem(RAX, 8 * SUM)))
    a.label("optimize")
    a.constant(RAX, SUM)
    a.load(R11, R14, layout.BUILTINS)
    a.put(JMP_RM64(Mem(R11, 8 * OPTIMIZE)))
    a.label("hot loop")
    a.move(RDI, R14)
    a.constant(RSI, SUM)
    a.constant(RDX, place)
    a.load(R11, R14, layout.BUILTINS)
    a.put(CALL_RM64(Mem(R11, 8 * ENTER_LOOP)))
    asks = len(a.code)
    a.put(TEST_RM64_R64(RAX, RAX))
    a.jump_if(CC_E, "turn")
    a.lea(RDI, RSP, _LOCALS)
    a.lea(RSI, RSP, _OPERANDS)
    a.put(CALL_RM64(RAX))
    enters = len(a.code)
    a.jump("end")
    made = MachineCode(SUM, a.finish())
    made.is_baseline = made.has_loops = made.makes_calls = True
    made.frame_bytes, made.body_offset = _FRAME, body_offset
    made.call_sites = [(asks, place, 0), (enters, HIDDEN_PLACE, 0)]
    return made


def hand_made_loop(index: int, place: int, *, traps: bool) -> MachineCode:
    from purewasm.engine.native.assembler import Assembler
    from purewasm.isa.x64.address import Mem
    from purewasm.isa.x64.conditions import CC_NE
    from purewasm.isa.x64.control import RET
    from purewasm.isa.x64.integer import ADD_RM64_IMM8, ADD_RM64_R64, SUB_RM32_IMM8, SUB_RM64_IMM8
    from purewasm.isa.x64.registers import RAX, RDI, RSP

    a = Assembler()
    a.put(SUB_RM64_IMM8(RSP, 8))
    body_offset = len(a.code)
    if traps:
        a.put(b"\x0f\x0b")
    a.label("turn")
    a.load(RAX, RDI)
    a.put(ADD_RM64_R64(Mem(RDI, _STRIDE), RAX), SUB_RM32_IMM8(Mem(RDI), 1))
    a.jump_if(CC_NE, "turn")
    a.constant(RAX, 1)
    a.put(ADD_RM64_IMM8(RSP, 8), RET())
    made = MachineCode(index, a.finish())
    made.loop, made.body_offset, made.frame_bytes, made.has_loops = place, body_offset, 8, True
    made.traps = [(body_offset, layout.TRAP_CODES.index("unreachable"), place + 2)] if traps else []
    return made


@pytest.fixture
def made() -> type[HandMade]:
    class Counting(HandMade):
        asked: ClassVar[list[tuple[str, int]]] = []

    return Counting


def runtime_with(compilers: type[HandMade], after: int | None, **options: object) -> Runtime:
    runtime = Runtime(engine="compiler", optimize_after=after, **options)
    runtime._engine._compiler_of = compilers  # type: ignore[attr-defined]
    return runtime


def instantiate(compilers: type[HandMade], after: int | None, **options: object) -> Instance:
    return runtime_with(compilers, after, **options).instantiate(GUEST)


def variant_of(instance: Instance) -> Variant:
    code: ModuleCode = instance.code  # type: ignore[assignment]
    return code.variant(explicit_checks=False)


def record_code(instance: Instance, index: int) -> int:
    space: Space = instance.engine_state  # type: ignore[assignment]
    return space.block.words[space.code.record_offset(index) >> 3]


def expected(n: int) -> int:
    return n * (n + 1) // 2


def test_a_function_is_optimized_when_it_is_called_once_more(made: type[HandMade]) -> None:
    instance = instantiate(made, 6)
    assert [instance.exports.sum(1) for _ in range(3)] == [1, 1, 1]  # two turns each: the call and the loop's
    assert made.asked == [("baseline", SUM)]
    variant = variant_of(instance)
    assert record_code(instance, SUM) not in (variant.known(SUM), 0)
    assert instance.exports.sum(4) == 10
    assert made.asked == [("baseline", SUM), ("optimized", SUM)]
    assert variant.slots.words[SUM] == record_code(instance, SUM) == variant.optimized[SUM]
    assert instance.exports.sum(4) == 10
    assert len(made.asked) == 2


def test_every_way_to_a_function_leads_to_its_best_code(made: type[HandMade]) -> None:
    """Functions that were fetched before, tables, other instances, and those that are made later."""
    runtime = runtime_with(made, 2)
    module = runtime.compile(GUEST)
    first, second = (runtime.instantiate(module) for _ in range(2))
    function, element = first.exports.sum, first.exports.table.get(0)
    assert function(1) == 1
    assert element(3) == 6
    best = variant_of(first).optimized[SUM]
    third = runtime.instantiate(module)
    assert [record_code(instance, SUM) for instance in (first, second, third)] == [best] * 3
    assert (function(4), element(4), third.exports.sum(4), second.exports.twice(3)) == (10, 10, 10, 12)


def test_a_loop_is_replaced_in_the_only_call_of_its_function(made: type[HandMade]) -> None:
    instance = instantiate(made, 100)
    assert instance.exports.sum(1000) == expected(1000)
    assert [what for what, _ in made.asked] == ["baseline", "loop"]


def test_a_function_with_a_hot_loop_is_optimized_at_its_next_call(made: type[HandMade]) -> None:
    instance = instantiate(made, 100)
    for _ in range(3):
        assert instance.exports.sum(1000) == expected(1000)
    assert [what for what, _ in made.asked] == ["baseline", "loop", "optimized"]
    assert variant_of(instance).turns[SUM] == 100


def test_short_loops_stay_as_they_are(made: type[HandMade]) -> None:
    instance = instantiate(made, 1 << 62)
    assert instance.exports.sum(1000) == expected(1000)
    assert [what for what, _ in made.asked] == ["baseline"]
    assert variant_of(instance).turns[SUM] == (1 << 62) - 1001


def test_another_loop_of_a_hot_function_is_tried_first(made: type[HandMade]) -> None:
    from purewasm.engine.native import tiers

    instance = instantiate(made, 10)
    instance.exports.sum(100)
    space: Space = instance.engine_state  # type: ignore[assignment]
    other = place_of_loop(instance.wasm) - 1
    tried = [turn for turn in range(20) if not tiers.enter_loop(space, SUM, other)]
    assert tried == list(range(tiers._LEAST_REQUESTS))  # and one more for its size
    assert made.asked[-1] == ("loop", other)


def test_loops_are_not_compiled_without_end(made: type[HandMade]) -> None:
    """Loops in loops, each of which is hot, cost no more than a few times their function."""
    from purewasm.engine.native import tiers

    instance = instantiate(made, 1 << 62)
    instance.exports.sum(1)
    variant, space = variant_of(instance), instance.engine_state
    start, entered = place_of_loop(instance.wasm), 0
    for place in range(start, start + 10_000):
        variant.restart(SUM)
        entered += bool(tiers.enter_loop(space, SUM, place))  # type: ignore[arg-type]
    assert 2 <= entered < 200
    assert variant.turns[SUM] == 1 << 62


def test_a_trap_in_a_loop_shows_its_function_once(made: type[HandMade]) -> None:
    made.traps_in_loop = True
    instance = instantiate(made, 1)
    with pytest.raises(Trap, match="unreachable") as caught:
        instance.exports.twice(50)
    assert [frame.function for frame in caught.value.frames] == ["sum", "twice"]
    assert caught.value.frames[0].offset == place_of_loop(instance.wasm) + 2


def test_nothing_is_made_for_instances_that_are_closed(made: type[HandMade]) -> None:
    from purewasm.engine.native import tiers

    instance = instantiate(made, 5)
    instance.exports.sum(1)
    space: Space = instance.engine_state  # type: ignore[assignment]
    instance.close()
    tiers.optimize(space, SUM)
    assert not tiers.enter_loop(space, SUM, place_of_loop(instance.wasm))
    assert [what for what, _ in made.asked] == ["baseline"]


def test_where_there_is_no_room_the_function_goes_on(made: type[HandMade], monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(self: HandMade, *numbers: int) -> MachineCode:
        raise MemoryError("no room for more machine code")

    instance = instantiate(made, 3)
    instance.exports.sum(1)
    monkeypatch.setattr(HandMade, "optimized", no_room)
    monkeypatch.setattr(HandMade, "loop", no_room)
    assert instance.exports.sum(1000) == expected(1000)
    assert instance.exports.sum(1000) == expected(1000)
    assert not variant_of(instance).busy
    monkeypatch.undo()
    assert instance.exports.sum(1000) == expected(1000)
    assert made.asked[1:]


def test_other_failures_come_out_of_the_call(made: type[HandMade], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: HandMade, *numbers: int) -> MachineCode:
        raise KeyboardInterrupt

    instance = instantiate(made, 3)
    monkeypatch.setattr(HandMade, "loop", fails)
    monkeypatch.setattr(HandMade, "optimized", fails)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            instance.exports.sum(1000)
    monkeypatch.undo()
    assert instance.exports.sum(1000) == expected(1000)


def test_eager_runtimes_have_only_the_best_code(made: type[HandMade]) -> None:
    instance = instantiate(made, 5, eager=True)
    assert instance.exports.sum(3) == 6
    assert {what for what, _ in made.asked} <= {"optimized"}
    assert not variant_of(instance).code[1]


def test_runtimes_of_one_cache_keep_their_own_turns() -> None:
    from purewasm import CompilationCache

    with CompilationCache() as cache:
        codes = []
        for after in (0, 7, 7):
            with Runtime(engine="compiler", cache=cache, optimize_after=after, features=Features.WASM3) as runtime:
                codes.append(runtime.instantiate(GUEST).code)
        assert codes[0] is not codes[1] is codes[2]


def test_what_another_thread_makes_is_not_waited_for(made: type[HandMade]) -> None:
    """… but a thread of the process that this one was forked from makes nothing here."""
    import os

    from purewasm.engine.native.compilers import LOOP, OPTIMIZED

    instance = instantiate(made, 3)
    instance.exports.sum(1)
    busy, place = variant_of(instance).busy, place_of_loop(instance.wasm)
    busy.update([(os.getpid(), OPTIMIZED, SUM), (os.getpid(), LOOP, place)])
    assert instance.exports.sum(1000) == expected(1000)
    assert instance.exports.sum(1000) == expected(1000)
    assert made.asked == [("baseline", SUM)]
    busy.clear()
    busy.update([(os.getppid(), OPTIMIZED, SUM), (os.getppid(), LOOP, place)])
    assert instance.exports.sum(1000) == expected(1000)
    assert instance.exports.sum(1000) == expected(1000)
    assert {what for what, _ in made.asked[1:]} == {"loop", "optimized"}


class Clock:
    """Seconds of the process, as a test wants them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 5.0
        monkeypatch.setattr("purewasm.engine.native.tiers.process_time", lambda: self.seconds)


def test_optimizing_takes_no_longer_than_the_guest_has_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native.compilers import BASELINE, LOOP, OPTIMIZED
    from purewasm.engine.native.tiers import Budget

    import_module("purewasm.isa.x64.compile")
    clock = Clock(monkeypatch)
    budget = Budget()
    clock.seconds += 1.0  # before there is any code no guest runs
    assert not budget.allows(100)
    clock.seconds += 0.1
    assert budget.allows(50_000)
    assert not budget.allows(100_000)
    budget.note(BASELINE, 100_000, 0.09)  # that was no time of the guest
    assert not budget.allows(50_000)
    assert budget.allows(5_000)
    clock.seconds += 1.0
    budget.note(OPTIMIZED, 10_000, 0.1)  # now it is known how long that takes: much longer than it was thought
    assert budget.allows(70_000)
    assert not budget.allows(130_000)
    budget.note(LOOP, 10_000, 0.45)
    assert not budget.allows(10)


def test_the_optimizer_has_to_be_imported_first(monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native.compilers import BASELINE, OPTIMIZED
    from purewasm.engine.native.tiers import Budget

    monkeypatch.delitem(sys.modules, "purewasm.isa.x64.compile", raising=False)
    clock = Clock(monkeypatch)
    budget = Budget()
    budget.note(BASELINE, 100, 0.001)
    clock.seconds += 0.005
    assert not budget.allows(100)
    clock.seconds += 0.01
    assert budget.allows(100)
    clock.seconds += 0.012
    budget.note(OPTIMIZED, 100, 0.012)  # most of that was the import: what optimizing costs is still not known
    assert not budget.allows(10_000)
    clock.seconds += 0.02
    assert budget.allows(10_000)


def test_small_modules_are_optimized_at_once() -> None:
    from purewasm.engine.native.tiers import begin

    with Runtime(engine="compiler") as runtime:
        small, empty = runtime.compile(GUEST).wasm, runtime.compile("(module)").wasm
        large = runtime.compile(f"(module (func {'(drop (i32.const 1))' * 10_000}))").wasm
    assert begin(small, None) == begin(empty, None) == begin(large, 0) == (0, None)
    assert begin(small, 3) == begin(large, 3) == (3, None)
    turns, budget = begin(large, None)
    assert turns > 0
    assert budget is not None


def test_who_has_no_time_yet_asks_again(made: type[HandMade], monkeypatch: pytest.MonkeyPatch) -> None:
    from purewasm.engine.native import tiers

    clock = Clock(monkeypatch)
    monkeypatch.setattr(tiers, "_SMALL_BYTES", 0)
    monkeypatch.setattr(tiers, "_TURNS", 256)  # one for each byte
    instance = instantiate(made, None)
    for _ in range(3):
        assert instance.exports.sum(5000) == expected(5000)
    assert made.asked == [("baseline", SUM)]
    clock.seconds += 10.0
    for _ in range(200):
        assert instance.exports.sum(100) == expected(100)
    assert {what for what, _ in made.asked} == {"baseline", "loop", "optimized"}
