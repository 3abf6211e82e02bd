"""Version 0 of the ABI: imports `() -> ()`, everything passes through cells that a page of the guest lists.

    class Cells(NamedTuple):
        amount: Cell

    class Tally(PageModule[Cells]):
        name = "acme/tally"
        page_export = "__tally"
        entries = 1

        def bind(self, page: Page) -> Cells:
            return Cells(page.cell(0, "u64", "the amount"))

        @page_call("__tally_add")
        def add(self, cells: Cells) -> None:
            cells.amount.set(cells.amount.get() + 1)

A method that waits takes the `Caller` too, `def add(self, cells: Cells, caller: Caller)`, and asks `caller.check_interruption()` meanwhile.
"""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

from purewasm.errors import InternalError
from purewasm.hostmod.members import marked_members
from purewasm.hostmod.status import AbiError
from purewasm.hostmod.views import Page
from purewasm.runtime.hostmodule import HostModule
from purewasm.store.host import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.store.instance import Instance

C = TypeVar("C")
_Method = TypeVar("_Method", bound="Callable[..., None]")
_IMPORT: Final = "__purewasm_import__"
_WITH_CELLS: Final = 2
"""Arguments of a method that gets the cells alone."""


class PageState(Generic[C]):
    """The cells of one instance, found when they are first needed: a guest may call while it still initialises."""

    __slots__ = ("_reader", "cells")

    def __init__(self) -> None:
        self.cells: C | None = None
        self._reader: int | None = None

    def find(self, host: PageModule[C], instance: Instance, operation: str) -> C:
        """Ask the guest for its page. `AbiError` where it has none, or one that leaves its memory."""
        thread = get_ident()
        if self._reader == thread:
            problem = f"called from inside the guest's own {host.page_export}, before the host knows where the cells are"
            raise AbiError(host.name, operation, problem)
        self._reader = thread
        try:
            cells = self.cells = host.bind(Page.of(instance, host.entries, host.name, host.page_export))
        finally:
            self._reader = None
        return cells


def page_call(name: str) -> Callable[[_Method], _Method]:
    """Decorator: this method is what a guest imports under `name`. It gets the cells of the calling instance, and the `Caller` where it
    has a second parameter for it."""

    def mark(method: _Method) -> _Method:
        setattr(method, _IMPORT, name)
        return method

    return mark


class PageModule(HostModule, Generic[C]):
    """A host module of version 0. A subclass says its names, and makes cells of a page in `bind`."""

    name: str
    """The import module: said by the class."""
    abi: ClassVar[tuple[int, int]] = (0, 0)
    aliases: tuple[str, ...] = ()
    page_export: ClassVar[str]
    """The function with which a guest shows its page."""
    entries: int
    """How many addresses the page has."""

    def __init__(self) -> None:
        super().__init__(self.name, aliases=self.aliases)
        for attribute, member in marked_members(type(self), _IMPORT).items():
            method = getattr(self, attribute)
            imported: str = getattr(member, _IMPORT)
            entry = self._entry_with_caller if method.__func__.__code__.co_argcount > _WITH_CELLS else self._entry
            self.add_function(imported, entry(imported, method), (), ())

    def _entry_with_caller(self, name: str, method: Callable[[C, Caller], None]) -> Callable[[Caller], None]:
        find = self._cells

        def call(caller: Caller) -> None:
            method(find(caller, name), caller)

        return call

    def _cells(self, caller: Caller, name: str) -> C:
        state = caller.state
        if not isinstance(state, PageState):
            raise InternalError(f"{caller.instance!r} calls {name}, but {self.name} was never attached to it")
        known: PageState[C] = state
        return known.find(self, caller.instance, name) if known.cells is None else known.cells

    def _entry(self, name: str, method: Callable[[C], None]) -> Callable[[Caller], None]:
        find = self._cells

        def call(caller: Caller) -> None:
            # The way of `_cells`, without a call more: an import that moves one number is called often.
            state = caller.state
            cells = state.cells if isinstance(state, PageState) else None
            method(find(caller, name) if cells is None else cells)

        return call

    def bind(self, page: Page) -> C:
        """The cells and buffers of an instance, from its page."""
        raise NotImplementedError

    def attach(self, instance: Instance) -> PageState[C]:
        """The state of one instance: where its cells are, once it has been asked."""
        return PageState()
