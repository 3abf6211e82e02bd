"""Counts greetings in the host's key-value store, up to the host's setting LIMIT."""

from purewasm_guest.python import export, i32
from purewasm_guest.sdk.python import global_, kv, mailbox


@export
def greet() -> i32:
    """The count, -1 at the limit, -2 where the store fails."""
    before = 0
    found = kv.get("greetings")
    if kv.status() == mailbox.OK and len(found) == 1:
        before = found[0]
    elif kv.status() != mailbox.NOT_FOUND:
        return -2
    if before >= int(global_.uint64("LIMIT", 100)):
        return -1
    kv.set("greetings", bytes([before + 1]), 0)
    return i32(before + 1) if kv.status() == mailbox.OK else -2
