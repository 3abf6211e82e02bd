"""Branches that become `if` and `else`, and the writers that take what is left: each tree does the same in every form."""

from __future__ import annotations

import itertools
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest

from purewasm.engine.interpreter import structured
from purewasm.engine.interpreter.flat import FlatWriter
from purewasm.engine.interpreter.structured import StructuredWriter
from purewasm.engine.interpreter.tree import Block, Body, Br, If, Label, Loop, Switch, settle

if TYPE_CHECKING:
    from collections.abc import Callable

_numbers = itertools.count(1)


def label() -> Label:
    return Label(1, next(_numbers))


class RandomTree:
    """A tree of statements that log where control goes, and what it logs (`expected`), run directly."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.statements = 0

    def body(self, labels: list[Label], depth: int, *, settled: bool = True) -> Body:
        rng, made = self.rng, Body()
        for _ in range(rng.randrange(1, 4)):
            choice = rng.random()
            if depth == 0 or choice < 0.35:
                self.statements += 1
                made.append((f"log.append({self.statements})", 0))
            elif choice < 0.6:
                test = f"ask({rng.randrange(2, 5)})"
                other = self.body(labels, depth - 1) if rng.random() < 0.5 else Body()
                node = If(test, f"not {test}", 0, self.body(labels, depth - 1), other)
                made.append(node)
                made.dead = node.arms[0].dead and node.arms[1].dead
            elif choice < 0.8:
                made.extend(self.block(labels, depth))
            elif choice < 0.9:
                made.extend(self.loop(labels, depth))
            else:
                made.append(self.switch(labels))
                made.dead = isinstance(made[-1], Switch)
            if made.dead:
                return made
        if labels and rng.random() < 0.4:
            made.append(Br(rng.choice(labels), 0))
            made.dead = True
        return made

    def block(self, labels: list[Label], depth: int) -> list[Block]:
        mine = label()
        body = self.body([*labels, mine], depth - 1)
        if body.dead and not mine.uses:
            body.append(("pass", 0))
            body.dead = False
        settle(body, mine)
        return [Block(mine, body)]

    def loop(self, labels: list[Label], depth: int) -> list[Loop]:
        head, leave = label(), label()
        body = self.body([*labels, leave], depth - 1)
        if not body.dead:
            again, stop = Body(), Body()
            again.append(Br(head, 0))
            stop.append(Br(leave, 0))
            again.dead = stop.dead = True
            body.append(If("ask(2)", "not ask(2)", 0, again, stop))
            body.dead = True
        settle(body, head)
        return [Loop(head, leave, body)]

    def switch(self, labels: list[Label]) -> Switch | If:
        count = self.rng.randrange(2, 7)
        if not labels:
            body = Body()
            body.append(("log.append(0)", 0))
            return If("ask(2)", "not ask(2)", 0, body, Body())
        targets = [self.rng.choice(labels) for _ in range(count)]
        numbers: dict[Label, int] = {}
        arms: list[Body] = []
        for target in targets:
            if target not in numbers:
                numbers[target] = len(arms)
                arm = Body()
                arm.append(Br(target, 0))
                arm.dead = True
                arms.append(arm)
        return Switch("which", 0, arms, [numbers[target] for target in targets])


class _Branch(Exception):  # noqa: N818
    def __init__(self, label: Label) -> None:
        self.label = label


class Machine:
    """What a tree's text runs against; every question is answered from one list, so that two runs see the same."""

    LIMIT = 300

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.log: list[int] = []
        self.questions = 0

    def ask(self, sides: int) -> bool:
        self.questions += 1
        if self.questions > self.LIMIT:
            raise StopIteration
        return self.rng.randrange(sides) == 0

    @property
    def which(self) -> int:
        return self.rng.randrange(8)


def interpret(body: Body, machine: Machine) -> None:
    """Run a tree as it stands."""
    for entry in body:
        if isinstance(entry, tuple):
            exec(entry[0], {"log": machine.log})
        elif isinstance(entry, Br):
            raise _Branch(entry.label)
        elif isinstance(entry, If):
            interpret(entry.arms[0 if eval(entry.one, {"ask": machine.ask}) else 1], machine)
        elif isinstance(entry, Switch):
            value = machine.which
            interpret(entry.arms[entry.cases[min(value, len(entry.cases) - 1)]], machine)
        elif isinstance(entry, Block):
            try:
                interpret(entry.body, machine)
            except _Branch as branch:
                if branch.label is not entry.label:
                    raise
        elif isinstance(entry, Loop):
            run_loop(entry, machine)


def run_loop(entry: Loop, machine: Machine) -> None:
    while True:
        try:
            interpret(entry.body, machine)
        except _Branch as branch:
            if branch.label is entry.exit:
                return
            if branch.label is not entry.label:
                raise


def tree(seed: int) -> Body:
    """One tree, the same for the same seed; switches look at a variable that is set before them."""
    rng = Random(seed)
    body = RandomTree(rng).body([], 5)
    return with_values(body)


def with_values(body: Body) -> Body:
    """Put `w = which()` in front of each switch: text reads the variable several times."""
    made = Body()
    made.dead = body.dead
    for entry in body:
        if isinstance(entry, Switch):
            made.append(("w = which()", 0))
            entry.value = "w"
            entry.arms = [with_values(arm) for arm in entry.arms]
        elif isinstance(entry, If):
            entry.arms = [with_values(arm) for arm in entry.arms]
        elif isinstance(entry, (Block, Loop)):
            entry.body = with_values(entry.body)
        made.append(entry)
    return made


def run_text(lines: list[str], machine: Machine) -> None:
    names: dict[str, object] = {"log": machine.log, "ask": machine.ask, "which": lambda: machine.which}
    exec("\n".join(["def f():", " br = 0", *lines, " return"]), names)
    names["f"]()  # type: ignore[operator]


def outcome(run: Callable[[], None]) -> bool:
    """False where the run asked more than it may: only its beginning is compared then."""
    try:
        run()
    except StopIteration:
        return False
    return True


@pytest.mark.parametrize("block", range(12))
def test_all_forms_do_the_same(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if block % 3 == 1:
        monkeypatch.setattr(structured, "_MIN_GROUP", 2)
        monkeypatch.setattr(structured, "_MAX_LINEAR", 1)
    for seed in range(block * 40, block * 40 + 40):
        body = tree(seed)
        writer, flat = StructuredWriter(), FlatWriter()
        writer.body(body, 1, ())
        flat.write(body)
        for answers in range(4):
            logs = []
            for form in ("tree", "structured", "flat"):
                machine = Machine(answers)
                if form == "tree":
                    finished = outcome(partial(interpret, without_values(tree(seed)), machine))
                else:
                    finished = outcome(partial(run_text, writer.lines if form == "structured" else flat.lines, machine))
                logs.append((finished, machine.log))
            assert logs[0] == logs[1] == logs[2], seed


def without_values(body: Body) -> Body:
    """The statements `w = which()` taken out again: the direct run asks itself."""
    made = Body()
    made.dead = body.dead
    for entry in body:
        if isinstance(entry, tuple) and entry[0].startswith("w ="):
            continue
        if isinstance(entry, (If, Switch)):
            entry.arms = [without_values(arm) for arm in entry.arms]
        elif isinstance(entry, (Block, Loop)):
            entry.body = without_values(entry.body)
        made.append(entry)
    return made


def test_branch_at_the_end_is_nothing() -> None:
    mine, body = label(), Body()
    body.extend([("x", 0), Br(mine, 0)])
    body.dead = True
    settle(body, mine)
    assert body == [("x", 0)]
    assert (mine.uses, body.dead) == (0, False)


def test_rest_moves_into_the_other_arm() -> None:
    mine, then, body = label(), Body(), Body()
    then.append(Br(mine, 0))
    then.dead = True
    node = If("c", "not c", 0, then, Body())
    body.extend([node, ("rest", 0)])
    settle(body, mine)
    assert body == [node]
    assert node.arms == [[], [("rest", 0)]]
    assert mine.uses == 0


def test_branch_that_crosses_a_loop_stays() -> None:
    mine, head, leave = label(), label(), label()
    inner, body = Body(), Body()
    inner.append(Br(mine, 0))
    inner.dead = True
    body.extend([Loop(head, leave, inner), ("rest", 0)])
    settle(body, mine)
    assert mine.uses == 1
