"""Host modules for tests: one of each version of the ABI."""

from __future__ import annotations

from typing import NamedTuple, final

from purewasm import Instance, i32
from purewasm.hostmod import (
    Buffer,
    Call,
    Cell,
    MailboxModule,
    OperationError,
    Page,
    PageModule,
    Status,
    i64,
    operation,
    page_call,
    plain_import,
    u32,
    u64,
)


@final
class Greeter(MailboxModule):
    """Every kind of argument and result."""

    name = "acme/greeter@1"
    abi = (1, 2)
    max_request_bytes = 50_000

    def __init__(self) -> None:
        super().__init__()
        self.dropped: list[object] = []

    def new_state(self, instance: Instance) -> list[str]:
        return []

    def drop_state(self, state: object) -> None:
        self.dropped.append(state)

    @operation(1)
    def greet(self, who: str) -> str:
        if not who:
            raise OperationError(Status.INVALID, "nobody to greet", ["who"])
        return f"hello, {who}"

    @operation(2, name="add")
    def sum_of(self, a: u64, b: u32 = 1) -> u64:
        return (a + b) % 2**64

    @operation(3)
    def echo(self, value: object) -> object:
        return value

    @operation(4)
    def note(self, call: Call, text: str) -> list[str]:
        assert isinstance(call.state, list)
        call.state.append(text)
        call.handle += 1
        return list(call.state)

    @operation(5)
    def split(self, numbers: list[i64]) -> tuple[bool, float, bytes]:
        return bool(numbers), sum(numbers) / 2, bytes(len(numbers))

    @operation(6)
    def nothing(self) -> None:
        pass

    @operation(7)
    def broken(self, kind: str) -> u32:
        if kind == "raises":
            raise KeyError(kind)
        return -1

    @operation(8)
    def fill(self, size: u32) -> bytes:
        return bytes(size)

    @plain_import("__greeter_level")
    def level(self, number: i32) -> i32:
        return number + 1


class Cells(NamedTuple):
    """The cells of `Tally`."""

    amount: Cell
    text: Buffer


@final
class Tally(PageModule[Cells]):
    """A number that grows, and a text that is turned round."""

    name = "acme/tally"
    page_export = "__tally"
    entries = 4

    def bind(self, page: Page) -> Cells:
        capacity, length = page.cell(1, "u32", "the capacity"), page.cell(2, "u32", "the length")
        return Cells(page.cell(0, "u64", "the amount"), page.buffer(3, capacity, length, "the text", 1000))

    @page_call("__tally_add")
    def increase(self, cells: Cells) -> None:
        cells.amount.set((cells.amount.get() + 1) % 2**64)

    @page_call("__tally_turn")
    def turn(self, cells: Cells) -> None:
        text = cells.text.read_str("__tally_turn")
        cells.text.write("__tally_turn", (text[::-1] + "!").encode())
