"""From the statement tree to Python text with `while`, `if`, `try`: what nearly every function becomes.

A branch is, in this order of preference: nothing, where the text behind it leads there anyway; `continue` or `break` of the innermost
Python loop; or `br = n; break`, and behind that loop a test of `br` that goes on from there. Blocks that are still branched to are
loops that run once; several that begin in one place are a single loop over their parts, with the number of the next part in `pc`:

    block A (block B (block C x) y) z       pc1 = 0
                                            while True:
                                              if not pc1: x          a branch to C is `pc1 = 1; continue`
                                              if pc1 <= 1: y         to B: `pc1 = 2; continue`
                                              z                      to A: `break`
                                              break

CPython nests at most 20 loops and `try`s and 100 levels of indentation: `TooDeep` is raised before that, and `flat` takes over.
"""

from __future__ import annotations

from purewasm.engine.interpreter.tree import Block, Body, Br, If, Label, Loop, Switch, Try
from purewasm.light_typing import Final, final

MAX_NESTED_LOOPS: Final = 17  # an `except` takes two more
MAX_INDENT: Final = 80
_PADS: Final = tuple(" " * indent for indent in range(MAX_INDENT + 12))
_INLINE_ARMS: Final = 3
"""Runs of equal cases beyond the number of arms, up to which a switch tests its value directly."""

_MIN_GROUP: Final = 3
"""Blocks that begin in one place from which on they are one loop."""
_MAX_LINEAR: Final = 5
"""Parts of such a loop that are tested one by one; more are searched for."""
_MIN_TABLE: Final = 4
"""Arms of a switch that look `pc` up."""

Follow = tuple[Label, ...]


class TooDeep(Exception):  # noqa: N818 (a change of plan, no error)
    """The function needs more nesting than Python allows."""


@final
class _PyLoop:
    """A Python loop around the place that is being written."""

    __slots__ = ("breaks", "continues", "pc", "pending", "states")

    def __init__(self, breaks: Follow, continues: Label | None) -> None:
        self.breaks = breaks  # labels that `break` leads to
        self.continues = continues
        self.pending: dict[Label, None] = {}  # labels that are reached by way of `br`
        self.pc = ""
        self.states: dict[Label, int] = {}  # labels that a value of `pc` leads to


@final
class StructuredWriter:
    """Writes one function's tree; `lines` and `ats` (the instruction that each line is blamed on) are the result."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ats: list[int] = []
        self.loops: list[_PyLoop] = []
        self.nesting = 0
        self.uses_br = False

    def body(self, body: Body, indent: int, follow: Follow) -> bool:
        """Write a sequence whose end leads to the labels in `follow`. True where the text's end can be reached."""
        if indent > MAX_INDENT:
            raise TooDeep
        lines, ats, pad = self.lines, self.ats, _PADS[indent]
        end = len(body) - 1
        falls = True
        for position, entry in enumerate(body):
            kind = type(entry)
            if kind is tuple:
                lines.append(pad + entry[0])  # type: ignore[index]
                ats.append(entry[1])  # type: ignore[index]
                continue
            behind = follow if position == end else ()
            if kind is Br:
                falls = self.branch(entry.label, entry.at, indent, behind)  # type: ignore[union-attr]
            elif kind is If:
                falls = self.write_if(entry, indent, behind, "if")  # type: ignore[arg-type]
            else:
                falls = self.node(entry, indent, behind)  # type: ignore[arg-type]
        if end >= 0 and type(body[end]) is tuple:
            return not body.dead
        return falls

    def node(self, entry: Loop | Block | Switch | Try, indent: int, follow: Follow) -> bool:
        if type(entry) is Loop:
            return self.loop(entry.body, entry.label, (entry.exit, *follow), (entry.label,), indent, follow)
        if type(entry) is Block:
            return self.block(entry, indent, follow)
        if type(entry) is Switch:
            return self.switch(entry, indent, follow)
        assert type(entry) is Try
        return self.write_try(entry, indent, follow)

    def line(self, text: str, at: int, indent: int) -> None:
        self.lines.append(_PADS[indent] + text)
        self.ats.append(at)

    def branch(self, label: Label, at: int, indent: int, follow: Follow) -> bool:
        """Write a branch. True where it is nothing at all."""
        if label in follow:
            return True
        jump = self.jump(label)
        if not jump:
            self.loops[-1].pending[label] = None
            self.uses_br = True
            jump = f"br = {label.number}; break"
        self.line(jump, at, indent)
        return False

    def jump(self, label: Label) -> str:
        """The one jump that leads to a label from inside of the innermost Python loop, or "" where there is none."""
        innermost = self.loops[-1]
        if innermost.continues is label:
            return "continue"
        if label in innermost.breaks:
            return "break"
        state = innermost.states.get(label)
        return f"{innermost.pc} = {state}; continue" if state is not None else ""

    def loop(self, body: Body, continues: Label | None, breaks: Follow, inner: Follow, indent: int, follow: Follow) -> bool:
        """A loop of the guest (`continues` is its label), or one that runs once."""
        self.nesting += 1
        if self.nesting > MAX_NESTED_LOOPS:
            raise TooDeep
        here = _PyLoop(breaks, continues)
        self.loops.append(here)
        self.line("while True:", -1, indent)
        falls = self.body(body, indent + 1, inner)
        if falls and continues is None:
            self.line("break", -1, indent + 1)
        elif not body:
            self.line("pass", -1, indent + 1)
        self.loops.pop()
        self.nesting -= 1
        if here.pending:
            self.resume(list(here.pending), indent, follow)
        return True

    def resume(self, pending: list[Label], indent: int, follow: Follow) -> None:
        """Behind a loop that was left by way of `br`: go on to where it says."""
        if len(pending) == 1:
            label = pending[0]
            if label in follow:
                self.line("br = 0", -1, indent)
            elif jump := self.jump(label):
                self.line(f"if br: br = 0; {jump}", -1, indent)
            else:
                self.loops[-1].pending[label] = None
                self.line("if br: break", -1, indent)
            return
        self.line("if br:", -1, indent)
        far = False
        for label in pending:
            jump = self.jump(label) if label not in follow else ""
            if jump:
                self.line(f"if br == {label.number}: br = 0; {jump}", -1, indent + 1)
            elif label in follow:
                self.line(f"if br == {label.number}: br = 0", -1, indent + 1)
            else:
                self.loops[-1].pending[label] = None
                far = True
        if far:
            self.line("if br: break", -1, indent + 1)

    # ---- blocks

    def block(self, entry: Block, indent: int, follow: Follow) -> bool:
        """A block that is branched to, and those that begin where it does."""
        labels, parts, body = [entry.label], [], entry.body
        while True:
            first = 0
            while first < len(body) and type(body[first]) is tuple:
                first += 1
            inner = body[first] if first < len(body) else None
            if type(inner) is not Block:
                break
            for text, at in body[:first]:  # type: ignore[misc]  # statements only: nothing leads back to them
                self.line(text, at, indent)
            parts.append(body.behind(first + 1))
            labels.append(inner.label)
            body = inner.body
        parts.append(body)
        if len(labels) >= _MIN_GROUP:
            return self.group(labels[::-1], parts[::-1], indent, follow)
        breaks = (entry.label, *follow)
        return self.loop(self.rebuilt(labels, parts), None, breaks, breaks, indent, follow)

    def rebuilt(self, labels: list[Label], parts: list[Body]) -> Body:
        """The body of the outermost of a few blocks, without the statements that are written already."""
        made = parts[-1]
        for label, part in zip(labels[:0:-1], parts[-2::-1], strict=True):
            outer = Body()
            outer.append(Block(label, made))
            outer.extend(part)
            outer.dead = part.dead
            made = outer
        return made

    def group(self, labels: list[Label], parts: list[Body], indent: int, follow: Follow) -> bool:
        """Blocks that begin in one place, innermost first: part k + 1 is what lies behind the end of block k."""
        self.nesting += 1
        if self.nesting > MAX_NESTED_LOOPS:
            raise TooDeep
        outermost = labels[-1]
        here = _PyLoop((outermost, *follow), None)
        here.pc = f"pc{outermost.number}"
        here.states = {label: number for number, label in enumerate(labels[:-1], 1)}
        self.loops.append(here)
        self.line(f"{here.pc} = 0", -1, indent)
        self.line("while True:", -1, indent)
        if len(parts) <= _MAX_LINEAR:
            for number, part in enumerate(parts[:-1]):
                self.line(f"if {here.pc} <= {number}:" if number else f"if not {here.pc}:", -1, indent + 1)
                self.arm(part, indent + 2, (labels[number],))
            self.last_part(parts[-1], here, indent + 1)
        else:
            self.search_part(labels, parts, here, 0, len(parts), indent + 1)
        self.loops.pop()
        self.nesting -= 1
        if here.pending:
            self.resume(list(here.pending), indent, follow)
        return True

    def last_part(self, part: Body, here: _PyLoop, indent: int) -> None:
        if self.body(part, indent, here.breaks):
            self.line("break", -1, indent)

    def search_part(self, labels: list[Label], parts: list[Body], here: _PyLoop, first: int, last: int, indent: int) -> None:
        """A binary search for the part that `pc` names."""
        if indent > MAX_INDENT:
            raise TooDeep
        if last - first == 1:
            if last == len(parts):
                self.last_part(parts[first], here, indent)
            elif self.body(parts[first], indent, (labels[first],)):
                self.line(f"{here.pc} = {last}; continue", -1, indent)
            return
        middle = (first + last) // 2
        self.line(f"if {here.pc} < {middle}:", -1, indent)
        self.search_part(labels, parts, here, first, middle, indent + 1)
        self.search_part(labels, parts, here, middle, last, indent)  # no part falls out of the one before

    def write_if(self, entry: If, indent: int, follow: Follow, keyword: str) -> bool:
        then, other = entry.arms
        one = entry.one
        if _is_nothing(then, follow):
            if _is_nothing(other, follow):
                self.line(f"{keyword} {one}: pass", entry.at, indent)
                return True
            then, other, one = other, then, entry.two
        self.line(f"{keyword} {one}:", entry.at, indent)
        falls = self.arm(then, indent + 1, follow)
        if _is_nothing(other, follow):
            return True
        if not falls and keyword == "if":
            return self.body(other, indent, follow)
        if len(other) == 1 and type(other[0]) is If and not _is_nothing(other[0].arms[0], follow):
            if indent > MAX_INDENT:
                raise TooDeep
            return self.write_if(other[0], indent, follow, "elif") or falls
        self.line("else:", -1, indent)
        return self.arm(other, indent + 1, follow) or falls

    def arm(self, body: Body, indent: int, follow: Follow) -> bool:
        """A sequence that must not be empty text."""
        before = len(self.lines)
        falls = self.body(body, indent, follow)
        if len(self.lines) == before:
            self.line("pass", -1, indent)
        return falls

    # ---- switches

    def switch(self, entry: Switch, indent: int, follow: Follow) -> bool:
        """A binary search over runs of cases. Where an arm would have to be written twice, over numbers of arms instead."""
        runs: list[tuple[int, int]] = []
        previous = -1
        for value, number in enumerate(entry.cases):
            if number != previous:
                runs.append((value, number))
                previous = number
        seen: set[int] = set()
        twice = {number for _, number in runs if number in seen or seen.add(number)}  # type: ignore[func-returns-value]
        value_text = entry.value
        states = self.loops[-1].states if self.loops else {}
        if len(entry.arms) >= _MIN_TABLE and all(_target(arm) in states for arm in entry.arms):
            numbers = [states[_target(arm)] for arm in entry.arms]  # type: ignore[index]
            table = ", ".join(str(numbers[number]) for number in entry.cases[:-1])
            text = f"({table},)[{value_text}] if {value_text} < {len(entry.cases) - 1} else {numbers[entry.cases[-1]]}"
            self.line(f"{self.loops[-1].pc} = {text}; continue", entry.at, indent)
            return False
        if len(runs) > len(entry.arms) + _INLINE_ARMS or any(not _is_jump(entry.arms[number]) for number in twice):
            cases = entry.cases
            table = ", ".join(map(str, cases[:-1]))
            self.line(f"t = ({table},)[{value_text}] if {value_text} < {len(cases) - 1} else {cases[-1]}", entry.at, indent)
            runs = [(number, number) for number in range(len(entry.arms))]
            value_text = "t"
        return self.search(entry, value_text, runs, 0, len(runs), indent, follow)

    def search(self, entry: Switch, value: str, runs: list[tuple[int, int]], first: int, last: int, indent: int, follow: Follow) -> bool:
        if last - first == 1:
            return self.arm(entry.arms[runs[first][1]], indent, follow)
        if indent > MAX_INDENT:
            raise TooDeep
        middle = (first + last) // 2
        bound = runs[middle][0]
        self.line(f"if {value} < {bound}:" if bound > 1 else f"if not {value}:", entry.at, indent)
        falls = self.search(entry, value, runs, first, middle, indent + 1, follow)
        if not falls:
            return self.search(entry, value, runs, middle, last, indent, follow)
        self.line("else:", -1, indent)
        self.search(entry, value, runs, middle, last, indent + 1, follow)
        return True

    # ---- exceptions

    def write_try(self, entry: Try, indent: int, follow: Follow) -> bool:
        self.nesting += 1
        if self.nesting > MAX_NESTED_LOOPS:
            raise TooDeep
        self.line("try:", -1, indent)
        falls = self.arm(entry.body, indent + 1, follow)
        self.nesting -= 1
        self.line("except GuestException as e:", -1, indent)
        keyword = "if"
        for test, body in entry.handlers:
            if not test and keyword == "if":
                return self.arm(body, indent + 1, follow) or falls
            self.line(f"{keyword} {test}:" if test else "else:", entry.at, indent + 1)
            falls = self.arm(body, indent + 2, follow) or falls
            if not test:
                return falls
            keyword = "elif"
        self.line("else: raise", entry.at, indent + 1)
        return falls


def _is_nothing(body: Body, follow: Follow) -> bool:
    """True where a sequence needs no text: empty, or a branch to where it leads anyway."""
    if not body:
        return True
    first = body[0]
    return type(first) is Br and first.label in follow


def _target(arm: Body) -> Label | None:
    """The label that an arm does nothing but branch to."""
    if len(arm) == 1:
        first = arm[0]
        if type(first) is Br:
            return first.label
    return None


def _is_jump(body: Body) -> bool:
    return not body or (len(body) == 1 and type(body[0]) is Br)
