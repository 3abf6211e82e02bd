"""What host modules are written with: base classes for both versions of the ABI, checked views of a guest's memory, errors.

    from purewasm.hostmod import MailboxModule, OperationError, Status, operation

    class Greeter(MailboxModule):
        name = "acme/greeter@1"
        abi = (1, 0)

        @operation(1)
        def greet(self, who: str) -> str:
            return f"hello, {who}"

`docs/writing-a-host-module.md` goes through it, `docs/abi.md` is the specification. What needs the mailbox needs msgpack
(`pip install 'purewasm[hostmod]'`), and is imported when it is first used.
"""

from __future__ import annotations

from purewasm.hostmod.page_module import PageModule, page_call
from purewasm.hostmod.status import MODULE_STATUS, AbiError, OperationError, Status
from purewasm.hostmod.views import Buffer, Cell, Page
from purewasm.hostmod.wire_types import f64, i32, i64, u32, u64
from purewasm.light_typing import TYPE_CHECKING
from purewasm.runtime.discovery import Installed, Need, installed, split_import_name

if TYPE_CHECKING:
    from purewasm.hostmod.mailbox import Mailbox
    from purewasm.hostmod.mailbox_module import Call, MailboxModule, MailboxState, operation, plain_import

_WITH_MSGPACK = {
    "Call": "mailbox_module", "Mailbox": "mailbox", "MailboxModule": "mailbox_module",
    "MailboxState": "mailbox_module", "operation": "mailbox_module", "plain_import": "mailbox_module",
}  # fmt: skip

__all__ = [
    "MODULE_STATUS",
    "AbiError",
    "Buffer",
    "Call",
    "Cell",
    "Installed",
    "Mailbox",
    "MailboxModule",
    "MailboxState",
    "Need",
    "OperationError",
    "Page",
    "PageModule",
    "Status",
    "f64",
    "i32",
    "i64",
    "installed",
    "operation",
    "page_call",
    "plain_import",
    "split_import_name",
    "u32",
    "u64",
]


def __getattr__(name: str) -> object:
    home = _WITH_MSGPACK.get(name)
    if home is None:
        raise AttributeError(f"module 'purewasm.hostmod' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"purewasm.hostmod.{home}"), name)
    globals()[name] = value
    return value
