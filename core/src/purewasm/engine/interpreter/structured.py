"""From the statement tree to Python text with `while`, `if`, `try`: what nearly every function becomes.

A branch is, in this order of preference: nothing, where the text behind it leads there anyway; `continue` or `break` of the innermost
Python loop; or `br = n; break`, and behind that loop a test of `br` that goes on from there. Blocks that are still branched to are
loops that run once.

CPython nests at most 20 loops and `try`s and 100 levels of indentation: `TooDeep` is raised long before, and `flat` takes over.
"""

from __future__ import annotations

from typing import Final, final

from purewasm.engine.interpreter.tree import Block, Body, Br, If, Label, Loop, Switch, Try

MAX_NESTED_LOOPS: Final = 15
MAX_INDENT: Final = 80
_PADS: Final = tuple(" " * indent for indent in range(MAX_INDENT + 12))
_INLINE_ARMS: Final = 3
"""Runs of equal cases beyond the number of arms, up to which a switch tests its value directly."""

Follow = tuple[Label, ...]


class TooDeep(Exception):  # noqa: N818 (a change of plan, no error)
    """The function needs more nesting than Python allows."""


@final
class _PyLoop:
    """A Python loop around the place that is being written."""

    __slots__ = ("breaks", "continues", "pending")

    def __init__(self, breaks: Follow, continues: Label | None) -> None:
        self.breaks = breaks  # labels that `break` leads to
        self.continues = continues
        self.pending: dict[Label, None] = {}  # labels that are reached by way of `br`


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
            breaks = (entry.label, *follow)
            return self.loop(entry.body, None, breaks, breaks, indent, follow)
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
        innermost = self.loops[-1]
        if innermost.continues is label:
            self.line("continue", at, indent)
        elif label in innermost.breaks:
            self.line("break", at, indent)
        else:
            innermost.pending[label] = None
            self.uses_br = True
            self.line(f"br = {label.number}; break", at, indent)
        return False

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
        near = [label for label in pending if self.is_near(label, follow)]
        if len(pending) == 1:
            label = pending[0]
            if not near:
                self.loops[-1].pending[label] = None
                self.line("if br: break", -1, indent)
            elif label in follow:
                self.line("br = 0", -1, indent)
            else:
                self.line(f"if br: br = 0; {'continue' if self.loops[-1].continues is label else 'break'}", -1, indent)
            return
        self.line("if br:", -1, indent)
        for label in near:
            jump = "" if label in follow else "; continue" if self.loops[-1].continues is label else "; break"
            self.line(f"if br == {label.number}: br = 0{jump}", -1, indent + 1)
        if len(near) < len(pending):
            for label in pending:
                if label not in near:
                    self.loops[-1].pending[label] = None
            self.line("if br: break", -1, indent + 1)

    def is_near(self, label: Label, follow: Follow) -> bool:
        """True where one jump leads to the label from here."""
        if label in follow:
            return True
        innermost = self.loops[-1]
        return innermost.continues is label or label in innermost.breaks

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


def _is_jump(body: Body) -> bool:
    return not body or (len(body) == 1 and type(body[0]) is Br)
