"""From the statement tree to a state machine: the text of functions that nest too deeply for Python's own `while`, `if` and `try`.

Each piece of straight-line code is a state, and `pc` the number of the state that runs:

    pc = 0
    while True:
      if pc < 2:                    a binary search for the state
        if not pc:
          ...
          if l0: pc = 3; continue
          pc = 1; continue
        else: ...

Nothing here recurses over the tree, so that any nesting is written. Exceptions are caught around the whole loop; a table says which
handlers guard each state.
"""

from __future__ import annotations

from purewasm.engine.interpreter.tree import Block, Body, Br, If, Label, Loop, Switch, Try
from purewasm.light_typing import Final, final

Line = tuple[int, str, int]
"""(extra indentation, text, blamed instruction)"""
_MAX_INLINE: Final = 6
"""Statements of an arm that stays an `if` inside of its state."""


@final
class FlatWriter:
    """Writes one function's tree; `lines` and `ats` are the result."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ats: list[int] = []
        self.states: list[list[Line]] = []
        self.regions: list[int] = []  # innermost guarded region of each state, 0 for none
        self.guards: list[tuple[int, Try]] = []  # (region around it, handlers) of region i + 1
        self.todo: list[tuple[int, Body, int, int]] = []  # (state, body, position, state behind)
        self.region = 0

    def new_state(self) -> int:
        self.states.append([])
        self.regions.append(self.region)
        return len(self.states) - 1

    def write(self, body: Body) -> None:
        """Write a function's body."""
        self.todo.append((self.new_state(), body, 0, -1))
        while self.todo:
            self.run(*self.todo.pop())
        handlers = self.write_handlers()
        self.emit(handlers)

    def later(self, body: Body, position: int, behind: int) -> int:
        """A new state for the rest of a body."""
        state = self.new_state()
        self.todo.append((state, body, position, behind))
        return state

    def run(self, state: int, body: Body, position: int, behind: int) -> None:
        """Write the entries of a body from `position` on to the end of one state; whatever they need goes to states of its own."""
        out = self.states[state]
        self.region = self.regions[state]
        while position < len(body):
            entry = body[position]
            kind = type(entry)
            position += 1
            if kind is tuple:
                out.append((0, entry[0], entry[1]))  # type: ignore[index]
                continue
            if kind is Br:
                out.append((0, self.jump(entry.label.state), entry.at))  # type: ignore[union-attr]
                return
            if kind is If and self.inline(entry, out):  # type: ignore[arg-type]
                continue
            # what control does behind this entry
            follow = self.later(body, position, behind) if position < len(body) or behind < 0 else behind
            if kind is Block:
                entry.label.state = follow  # type: ignore[union-attr]
                body, position, behind = entry.body, 0, follow  # type: ignore[union-attr]
                continue
            self.node(entry, out, follow)  # type: ignore[arg-type]
            return
        if not body.dead:
            out.append((0, self.jump(behind) if behind >= 0 else "return", -1))

    def jump(self, state: int) -> str:
        return f"pc = {state}; continue"

    def node(self, entry: If | Loop | Switch | Try, out: list[Line], follow: int) -> None:
        if type(entry) is If:
            then = self.later(entry.arms[0], 0, follow)
            other = self.later(entry.arms[1], 0, follow) if entry.arms[1] else follow
            out.append((0, f"pc = {then} if {entry.one} else {other}; continue", entry.at))
        elif type(entry) is Loop:
            entry.exit.state = follow
            head = entry.label.state = self.new_state()
            self.todo.append((head, entry.body, 0, head))
            out.append((0, self.jump(head), -1))
        elif type(entry) is Switch:
            arms = [self.arm_state(arm, follow) for arm in entry.arms]
            cases = [arms[number] for number in entry.cases]
            table = ", ".join(map(str, cases[:-1]))
            text = f"pc = ({table},)[{entry.value}] if {entry.value} < {len(cases) - 1} else {cases[-1]}; continue"
            out.append((0, text, entry.at))
        elif type(entry) is Try:
            outer = self.region
            self.guards.append((outer, entry))
            self.region = len(self.guards)
            inside = self.later(entry.body, 0, follow)
            self.region = outer
            for index, (_, body) in enumerate(entry.handlers):
                entry.handlers[index] = (entry.handlers[index][0], _joined(body, follow))
            out.append((0, self.jump(inside), -1))

    def arm_state(self, arm: Body, follow: int) -> int:
        if not arm:
            return follow
        first = arm[0]
        return first.label.state if type(first) is Br else self.later(arm, 0, follow)

    def inline(self, entry: If, out: list[Line]) -> bool:
        """Write an `if` whose first arm is short and leaves, or whose arms are plain statements, in place."""
        then, other = entry.arms
        if not _is_plain(then) or not _is_plain(other) or (other and other.dead and not then.dead):
            return False
        out.append((0, f"if {entry.one}:", entry.at))
        self.inline_arm(then, out)
        if other:
            if not then.dead:
                out.append((0, "else:", -1))
                self.inline_arm(other, out)
            else:
                self.inline_arm(other, out, 0)
        return True

    def inline_arm(self, arm: Body, out: list[Line], indent: int = 1) -> None:
        for entry in arm:
            if type(entry) is Br:
                out.append((indent, self.jump(entry.label.state), entry.at))
            else:
                out.append((indent, entry[0], entry[1]))  # type: ignore[index]
        if not arm:
            out.append((indent, "pass", -1))

    # ---- text

    def write_handlers(self) -> list[Line]:
        """What to do with an exception: the regions from the innermost outwards, each may hand on to the one around it."""
        lines: list[Line] = []
        for number in range(len(self.guards), 0, -1):
            outer, entry = self.guards[number - 1]
            lines.append((0, f"if region == {number}:", entry.at))
            keyword = "if"
            for test, body in entry.handlers:
                lines.append((1, f"{keyword} {test}:" if test else "if True:" if keyword == "if" else "else:", entry.at))
                lines.extend((2, *self.handler_line(item)) for item in body)
                keyword = "elif"
                if not test:
                    break
            else:
                lines.append((1, f"else: region = {outer}", -1))
        return lines

    def handler_line(self, item: object) -> tuple[str, int]:
        if type(item) is Br:
            return self.jump(item.label.state), item.at
        assert type(item) is tuple
        return item

    def emit(self, handlers: list[Line]) -> None:
        self.line(1, "pc = 0", -1)
        self.line(1, "while True:", -1)
        indent = 2
        if handlers:
            self.line(2, "try:", -1)
            self.line(3, "while True:", -1)
            indent = 4
        # the binary search, without recursion: (first state, last state, indentation, keyword line to write before)
        work: list[tuple[int, int, int, str]] = [(0, len(self.states), indent, "")]
        while work:
            first, last, depth, keyword = work.pop()
            if keyword:
                self.line(depth - 1, keyword, -1)
            if last - first == 1:
                for extra, text, at in self.states[first] or [(0, "pass", -1)]:
                    self.line(depth + extra, text, at)
                continue
            middle = (first + last) // 2
            work.append((middle, last, depth + 1, "else:"))
            work.append((first, middle, depth + 1, f"if pc < {middle}:"))
        if handlers:
            self.line(2, "except GuestException as e:", -1)
            self.line(3, f"region = ({', '.join(map(str, self.regions))},)[pc]", -1)
            for extra, text, at in handlers:
                self.line(3 + extra, text, at)
            self.line(3, "raise", -1)

    def line(self, indent: int, text: str, at: int) -> None:
        self.lines.append(" " * indent + text)
        self.ats.append(at)


def _is_plain(arm: Body) -> bool:
    return len(arm) <= _MAX_INLINE and all(type(entry) is tuple or type(entry) is Br for entry in arm)


def _joined(body: Body, follow: int) -> Body:
    """A handler that goes on behind its `try`: with the branch there written out."""
    if body.dead:
        return body
    made = Body()
    made.extend(body)
    label = Label(0, 0)
    label.state = follow
    made.append(Br(label, -1))
    made.dead = True
    return made
