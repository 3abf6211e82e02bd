"""Live locals, against what following every way through a body finds out."""

from __future__ import annotations

from random import Random

import pytest

from core.tests.unit.frontend.functions import module_of
from purewasm.binary.body import Body, decode_body
from purewasm.frontend.live_locals import live_behind, members

_LOCALS = 5
_MARK = 0x01
"""A `nop` stands where the question is asked."""


def body_of(text: str) -> Body:
    module = module_of(f"(module (tag) (func (local {'i32 ' * _LOCALS}) {text}))")
    return decode_body(module, module.codes[-1])


def successors(body: Body) -> tuple[list[list[int]], list[list[int]]]:
    """Of each instruction: where control may go from it, and where a branch to each label around it goes, outermost first."""
    ends: dict[int, int] = {}
    arms: dict[int, int] = {}
    opened: list[int] = [-1]
    for at, op in enumerate(body.ops):
        if op in (0x02, 0x03, 0x04):
            opened.append(at)
        elif op == 0x05:
            arms[opened[-1]] = at
        elif op == 0x0B:
            ends[opened.pop()] = at
    following: list[list[int]] = []
    around: list[list[int]] = []
    labels = [len(body.ops)]
    starts = [-1]
    for at, (op, imm) in enumerate(zip(body.ops, body.imms, strict=True)):
        around.append(labels[:])
        depths = imm if op == 0x0E else (imm,) if op in (0x0C, 0x0D) else ()
        assert isinstance(depths, tuple)
        ways = [labels[~depth] for depth in depths]
        if op in (0x02, 0x03, 0x04):
            labels.append(at + 1 if op == 0x03 else ends[at] + 1)
            starts.append(at)
        elif op == 0x0B:
            labels.pop()
            starts.pop()
        if op == 0x04:
            ways.append(arms.get(at, ends[at]) + 1)
        if op == 0x05:
            ways.append(ends[starts[-1]] + 1)
        elif op not in (0x00, 0x08, 0x0C, 0x0E, 0x0F):
            ways.append(at + 1)
        following.append(ways)
    return following, around


def may_be_read(body: Body, following: list[list[int]], start: int, local: int) -> bool:
    """Whether some way from `start` on comes to a read of the local before it sets it."""
    seen: set[int] = set()
    work = [start]
    while work:
        at = work.pop()
        if at in seen or at == len(body.ops):
            continue
        seen.add(at)
        if body.ops[at] == 0x20 and body.imms[at] == local:
            return True
        if body.ops[at] not in (0x21, 0x22) or body.imms[at] != local:
            work += following[at]
    return False


def check(text: str) -> tuple[list[set[int]], list[set[int]]]:
    """What is found, and what is so."""
    body = body_of(text)
    mark, names = body.ops.index(_MARK), [4, 2, 0, 1, 3]
    following, around = successors(body)
    targets = [*around[mark], mark + 1]
    exact = [{local for local in range(_LOCALS) if may_be_read(body, following, target, local)} for target in targets]
    return [set(members(live, names)) for live in live_behind(body.ops, body.imms, mark + 1, names)], exact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(nop) (drop (local.get 1))", [set(), {1}]),
        ("(nop) (local.set 1 (i32.const 0)) (drop (local.get 1))", [set(), set()]),
        ("(nop) (drop (local.tee 1 (local.get 2)))", [set(), {2}]),
        ("(block (nop) (br_if 0 (local.get 0)) (drop (local.get 1)) (return)) (drop (local.get 2))", [set(), {2}, {0, 1, 2}]),
        ("(block (nop) (br 0) (drop (local.get 1))) (drop (local.get 2))", [set(), {2}, {2}]),
        ("(block (nop) (unreachable)) (drop (local.get 2))", [set(), {2}, set()]),
        ("(block (nop) (throw 0)) (drop (local.get 2))", [set(), {2}, set()]),
        ("(if (i32.const 1) (then (nop)) (else (drop (local.get 1)))) (drop (local.get 2))", [set(), {2}, {2}]),
        ("(if (i32.const 1) (then (drop (local.get 1))) (else (nop))) (drop (local.get 2))", [set(), {2}, {2}]),
        ("(nop) (if (local.get 0) (then (local.set 1 (i32.const 1)) (local.set 2 (i32.const 1)))) (drop (local.get 1))", [set(), {0, 1}]),
        ("(nop) (loop (br_if 0 (local.get 3)))", [set(), {3}]),
        ("(nop) (loop (local.set 3 (i32.const 1)) (drop (local.get 3)))", [set(), set()]),
        ("(nop) (loop (drop (local.get 1)) (local.set 1 (i32.const 2)) (br_if 0 (local.get 3)))", [set(), {1, 3}]),
    ],
)
def test_what_is_live(text: str, expected: list[set[int]]) -> None:
    found, exact = check(text)
    assert found == expected == exact


class _Bodies:
    """Random bodies with one `nop`, which no loop is around."""

    def __init__(self, seed: int, loops: bool) -> None:
        self.random, self.loops = Random(seed), loops
        self.depth = 0

    def text(self) -> str:
        return self.statements(3, marked=True)

    def statements(self, depth: int, *, marked: bool = False) -> str:
        made = [self.statement(depth) for _ in range(self.random.randint(1, 4))]
        if marked:
            made.insert(self.random.randint(0, len(made)), self.around(depth))
        return " ".join(made)

    def around(self, depth: int) -> str:
        kind = self.random.random()
        if depth == 0 or kind < 0.2:
            return "(nop)"
        return self.arms(depth, marked=True) if kind < 0.5 else self.inside("block", depth, marked=True)

    def arms(self, depth: int, *, marked: bool = False) -> str:
        condition = f"(local.get {self.random.randrange(_LOCALS)})"
        first = self.random.random() < 0.5
        self.depth += 1
        arms = [self.statements(depth - 1, marked=marked and first), self.statements(depth - 1, marked=marked and not first)]
        self.depth -= 1
        other = f"(else {arms[1]})" if marked or self.random.random() < 0.5 else ""
        return f"(if {condition} (then {arms[0]}) {other})"

    def inside(self, block: str, depth: int, *, marked: bool = False) -> str:
        self.depth += 1
        made = f"({block} {self.statements(depth - 1, marked=marked)})"
        self.depth -= 1
        return made

    def statement(self, depth: int) -> str:
        random = self.random
        kind, local = random.random(), random.randrange(_LOCALS)
        if kind < 0.3:
            return f"(drop (local.get {local}))"
        if kind < 0.55:
            return f"(local.set {local} (i32.const 1))"
        if kind < 0.63:
            return f"(br_if {random.randint(0, self.depth)} (local.get {local}))"
        if kind < 0.67:
            return random.choice(("(return)", "(unreachable)", "(throw 0)", f"(br {random.randint(0, self.depth)})"))
        if kind < 0.7:
            targets = " ".join(str(random.randint(0, self.depth)) for _ in range(3))
            return f"(br_table {targets} (local.get {local}))"
        if depth == 0:
            return f"(drop (local.tee {local} (i32.const 2)))"
        if kind < 0.85:
            return self.arms(depth)
        return self.inside("loop" if self.loops and kind < 0.93 else "block", depth)


@pytest.mark.parametrize("seed", range(300))
def test_without_loops_it_is_exact(seed: int) -> None:
    found, exact = check(_Bodies(seed, loops=False).text())
    assert found == exact


@pytest.mark.parametrize("seed", range(300))
def test_with_loops_nothing_is_left_out(seed: int) -> None:
    found, exact = check(_Bodies(seed, loops=True).text())
    assert all(needed <= given for given, needed in zip(found, exact, strict=True))
