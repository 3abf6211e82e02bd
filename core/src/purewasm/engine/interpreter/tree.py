"""The statement tree of a function, and the conversion of branches into `if` and `else`.

The guest leaves blocks by branching to their ends; Python has no such jump. Most of those branches need none: a branch at the end of
its block is nothing at all, and where a branch is the end of an `if`'s arm, what follows the `if` moves into its other arm:

    block L                                     if c: A
      if c: A; br L              becomes        else: B
      B
    end

`settle` does that when a block is closed, so that only the branches which cross a loop, or whose code would have to be written
twice, are left for `structured` to turn into `break`, or for `flat` to turn into a state machine.

Before and after: a branch `Br(label)` is always the last entry of its body; `label.uses` counts the branches to a label in the tree.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from purewasm.engine.interpreter.fragments import Fragment

Statement = tuple[str, int]
"""Text of a simple statement, and the index of the instruction that a trap in it is blamed on."""

MAX_IF_CHAIN: Final = 10
"""Branches of one block that become nested `if`s: each costs a level of indentation."""
MAX_DESCENT: Final = 24
"""Depth to which branches at the ends of arms are looked for."""


class Body(list["Entry"]):
    """A sequence of statements and nodes; `dead` where control never reaches its end."""

    __slots__ = ("dead",)

    def __init__(self) -> None:
        super().__init__()
        self.dead = False

    def behind(self, position: int) -> Body:
        """What follows entry `position - 1`."""
        made = Body()
        made.extend(self[position:])
        made.dead = self.dead if made else False
        return made


@final
class Label:
    """What a branch names: the end of a block, or the head of a loop. `control` fills the rest while the block is open."""

    __slots__ = (
        "at", "catches", "exception", "exit", "handlers", "height", "is_loop", "kind", "landing", "landings", "names", "next_temp",
        "number", "other_value", "outer_body", "outer_floor", "params", "pending", "result_names", "results", "sealed", "state", "test",
        "then", "then_value", "types", "uses",
    )  # fmt: skip

    def __init__(self, kind: int, number: int) -> None:
        self.kind, self.number = kind, number
        self.uses = 0
        self.is_loop = False
        self.state = -1  # of the state machine in `flat`
        self.at = 0
        self.params: tuple[int, ...] = ()
        self.results: tuple[int, ...] = ()
        self.types: tuple[int, ...] = ()  # what a branch carries
        self.names: list[str] = []  # the variables that receive it
        self.result_names: list[str] = []  # the variables that hold the results behind the block
        self.height = 0  # operands below the block's parameters
        self.outer_floor = self.next_temp = 0
        self.outer_body = self.then = NO_BODY
        self.exit: Label | None = None
        # if
        self.test: Fragment | None = None
        self.pending: list[Fragment] = []
        self.then_value: Fragment | None = None
        self.other_value: Fragment | None = None
        # exceptions
        self.handlers: list[tuple[str, Body]] = []
        self.catches: list[tuple[Label, Body]] = []
        self.landings: list[tuple[Label, str]] = []
        self.landing = self  # where the code of the catch that is open begins
        self.sealed = False
        self.exception = ""


NO_BODY: Final = Body()


@final
class Br:
    """A branch; the last entry of its body."""

    __slots__ = ("at", "label")

    def __init__(self, label: Label, at: int) -> None:
        self.label, self.at = label, at
        label.uses += 1


@final
class If:
    """`one`: a Python condition, `two` its negation."""

    __slots__ = ("arms", "at", "one", "two")

    def __init__(self, one: str, two: str, at: int, then: Body, other: Body) -> None:
        self.one, self.two, self.at = one, two, at
        self.arms = [then, other]


@final
class Switch:
    """`arms[cases[value]]`, and the arm of the last case for every value past the end; `value` is a variable."""

    __slots__ = ("arms", "at", "cases", "falling", "plain", "value")

    def __init__(self, value: str, at: int, arms: list[Body], cases: list[int]) -> None:
        self.value, self.at, self.arms, self.cases = value, at, arms, cases
        self.falling: list[Body] = []  # arms whose end is reached; to begin with, each branches
        # arms that are nothing but one branch, by its label: a switch of many cases is settled once for each of its labels
        self.plain: dict[Label, Body] = {}
        for arm in arms:
            first = arm[0]
            if type(first) is Br:
                self.plain[first.label] = arm


@final
class Block:
    """A block that is still branched to."""

    __slots__ = ("body", "label")

    def __init__(self, label: Label, body: Body) -> None:
        self.label, self.body = label, body


@final
class Loop:
    """A loop that is branched to. Reaching the end of its body is a branch to its head; leaving is a branch to `exit`."""

    __slots__ = ("body", "exit", "label")

    def __init__(self, label: Label, exit: Label, body: Body) -> None:
        self.label, self.exit, self.body = label, exit, body


@final
class Try:
    """`body` under handlers `(condition on the exception e or "" for any, what to do)`."""

    __slots__ = ("at", "body", "handlers")

    def __init__(self, at: int, body: Body, handlers: list[tuple[str, Body]]) -> None:
        self.at, self.body, self.handlers = at, body, handlers


Entry = Statement | Br | If | Switch | Block | Loop | Try


def settle(body: Body, label: Label, depth: int = 0) -> None:
    """Remove branches to `label` from `body`, whose end is where they lead, as far as that needs no code twice."""
    if not label.uses or not body or depth > MAX_DESCENT:
        return
    last = body[-1]
    if type(last) is Br and last.label is label:
        body.pop()
        body.dead = False
        label.uses -= 1
    end = len(body) - 1
    position = 0
    while position <= end and label.uses:
        entry = body[position]
        kind = type(entry)
        if kind is tuple:
            pass
        elif kind is If or kind is Switch:
            assert isinstance(entry, If | Switch)
            if position == end or (depth < MAX_IF_CHAIN and _take_rest(entry, body, position, label)):
                body.dead = not _settle_arms(entry, label, depth + 1)
                return
        elif kind is Try and position == end:
            assert isinstance(entry, Try)
            arms = [entry.body, *(handler[1] for handler in entry.handlers)]
            for arm in arms:
                settle(arm, label, depth + 1)
            body.dead = all(arm.dead for arm in arms)
        position += 1


def _settle_arms(entry: If | Switch, label: Label, depth: int) -> bool:
    """Settle each arm. True where the end of one is reached."""
    if type(entry) is Switch:
        plain = entry.plain.pop(label, None)
        if plain is not None:
            settle(plain, label, depth)
            entry.falling.append(plain)
        for arm in entry.arms if label.uses else ():
            was_dead = arm.dead
            settle(arm, label, depth)
            if was_dead and not arm.dead:
                entry.falling.append(arm)
        return bool(entry.falling)
    then, other = entry.arms
    settle(then, label, depth)
    settle(other, label, depth)
    return not (then.dead and other.dead)


def _take_rest(entry: If | Switch, body: Body, position: int, label: Label) -> bool:
    """Move what follows `entry` into its one arm that goes on, if another arm ends in a branch to `label`."""
    if type(entry) is Switch:
        falling = entry.falling
        if len(falling) != 1 or not (label in entry.plain or any(_branches_at_end(arm, label, 0) for arm in entry.arms)):
            return False
    else:
        falling = [arm for arm in entry.arms if not arm.dead]
        if len(falling) != 1 or not any(arm.dead and _branches_at_end(arm, label, 0) for arm in entry.arms):
            return False
    arm = falling[0]
    arm.extend(body[position + 1 :])
    arm.dead = body.dead
    del body[position + 1 :]
    if body.dead and type(entry) is Switch:
        falling.clear()
    return True


def _branches_at_end(arm: Body, label: Label, depth: int) -> bool:
    if not arm or depth > MAX_DESCENT:
        return False
    last = arm[-1]
    if type(last) is Br:
        return last.label is label
    if type(last) is If or type(last) is Switch:
        if type(last) is Switch and label in last.plain:
            return True
        return any(_branches_at_end(inner, label, depth + 1) for inner in last.arms)
    return False
