"""What `call_indirect` looks functions up in: for each table and type, a list of callables parallel to the table's elements.

A slot that holds null, or a function whose type does not match, holds a function that traps, so that neither needs a check of its
own; the IndexError of a list is the trap of an index past the end. The lists are kept in step with the table, whoever changes it.
"""

from __future__ import annotations

import weakref

from purewasm import traps
from purewasm.engine.interpreter.stubs import is_ready, make_stub, ready
from purewasm.errors import Trap
from purewasm.light_library import partial, ref
from purewasm.light_typing import TYPE_CHECKING, Final, NoReturn, final
from purewasm.store.function import Function

if TYPE_CHECKING:
    from collections.abc import Callable

    from purewasm.store.table import Table

    Entry = Callable[..., object]

MAX_ENTRIES: Final = 1 << 21
"""Entries of all lists of a table together; with more, every lookup of that table is checked instead."""


@final
class Uninitialized:
    """What a slot that holds null holds: the trap says which one it is."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index

    def __call__(self, *arguments: object) -> NoReturn:
        raise Trap(f"{traps.UNINITIALIZED_ELEMENT} {self.index}", code=traps.UNINITIALIZED_ELEMENT)


_null_slots: Final[list[Uninitialized]] = []
_MAX_NULL_SLOTS: Final = 1 << 16
"""Slots whose number a trap tells; beyond them it is the same object for all."""


def _null_slot(index: int) -> Entry:
    """What a null slot holds, the same object in every table."""
    if index >= _MAX_NULL_SLOTS:
        return _far_null_slot
    while len(_null_slots) <= index:
        _null_slots.append(Uninitialized(len(_null_slots)))
    return _null_slots[index]


def _far_null_slot(*arguments: object) -> NoReturn:
    raise Trap(traps.UNINITIALIZED_ELEMENT)


def mismatched(*arguments: object) -> NoReturn:
    raise Trap(traps.INDIRECT_CALL_TYPE)


@final
class CheckedView:
    """The same lookup without a list, for tables that are too large for one."""

    __slots__ = ("elements", "type_id")

    def __init__(self, elements: list[object], type_id: int) -> None:
        self.elements, self.type_id = elements, type_id

    def __getitem__(self, index: int) -> Entry:
        if index >= len(self.elements):
            raise Trap(traps.UNDEFINED_ELEMENT)
        function = self.elements[index]
        if not isinstance(function, Function):
            return Uninitialized(index)
        return function.raw if self.type_id in function.deftype.ancestors else mismatched


if TYPE_CHECKING:
    View = list[Entry] | CheckedView


@final
class TableViews:
    """The views of one table, by the id of the type that calls ask for."""

    __slots__ = ("__weakref__", "table", "users", "views")

    def __init__(self, table: Table) -> None:
        self.table = ref(table)
        self.views: dict[int, View] = {}
        self.users: list[ref[ViewUser]] = []
        table.add_observer(self)

    def add_user(self, user: ViewUser) -> None:
        """Tell `user` (held weakly) when views are replaced."""
        self.users = [known for known in self.users if known() is not None]
        self.users.append(ref(user))

    def view(self, type_id: int) -> View:
        """The view for calls that ask for the type with this id."""
        known = self.views.get(type_id)
        if known is None:
            table = self.table()
            assert table is not None
            if len(table.elements) * (len(self.views) + 1) > MAX_ENTRIES:
                known = CheckedView(table.elements, type_id)
            else:
                entries: list[Entry] = []
                self._fill(entries, type_id, table, 0, len(table.elements))
                known = entries
            self.views[type_id] = known
        return known

    def table_changed(self, table: Table, start: int, count: int) -> None:
        """Bring every list up to date (an observer of the table)."""
        if len(table.elements) * len(self.views) > MAX_ENTRIES and any(type(view) is list for view in self.views.values()):
            self.views = {type_id: CheckedView(table.elements, type_id) for type_id in self.views}
            for user in self.users:
                living = user()
                if living is not None:
                    living.views_replaced(self)
            return
        for type_id, view in self.views.items():
            if type(view) is list:
                self._fill(view, type_id, table, start, count)

    def _fill(self, view: list[Entry], type_id: int, table: Table, start: int, count: int) -> None:
        entries: list[Entry] = []
        views = ref(self)
        for position, element in enumerate(table.elements[start : start + count], start):
            if not isinstance(element, Function):
                entries.append(_null_slot(position))
            elif type_id not in element.deftype.ancestors:
                entries.append(mismatched)
            else:
                raw = element.raw
                entries.append(raw if is_ready(raw) else make_stub(element.deftype, partial(_prepare, views, type_id, position, element)))
        view[start : start + count] = entries


def _prepare(known: ref[TableViews], type_id: int, position: int, function: Function) -> Entry:
    """First call through a slot: lower the function, and put it in the slot if it belongs there still.

    The list that holds the slot is found through a weak reference: its stubs would keep it, and all instances that it names, alive.
    """
    raw = ready(function.raw)
    views = known()
    table = None if views is None else views.table()
    if views is not None and table is not None and table.elements[position] is function:
        view = views.views.get(type_id)
        if type(view) is list:
            view[position] = raw
    return raw


class ViewUser:
    """Whoever keeps views in a place of its own."""

    __slots__ = ("__weakref__",)

    def views_replaced(self, views: TableViews) -> None:
        """Every view of the table is another object now."""
        raise NotImplementedError


_registry: weakref.WeakKeyDictionary[Table, TableViews] = weakref.WeakKeyDictionary()


def views_of(table: Table) -> TableViews:
    """The views of a table; one object for all instances that use it."""
    known = _registry.get(table)
    if known is None:
        known = _registry.setdefault(table, TableViews(table))
    return known
