"""The program of `guest-sdk/guests/program`, in Python."""

from purewasm_guest.python import export, i32
from purewasm_guest.sdk.python import global_ as settings
from purewasm_guest.sdk.python import kv, mailbox

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


@export
def testGet() -> None:  # noqa: N802 - the name that all languages have
    assert settings.boolean("TEST_BOOL", True)
    assert settings.uint64("TEST_UINT64", 42) == 42
    assert settings.duration("TEST_DURATION", MINUTE) == MINUTE


@export
def testOverride() -> None:  # noqa: N802 - the name that all languages have
    assert not settings.boolean("TEST_BOOL", True)
    assert settings.uint64("TEST_UINT64", 42) == 43
    assert settings.duration("TEST_DURATION", MINUTE) == SECOND


def count(word: str) -> None:
    """Add one to the decimal number under "count/<word>"."""
    key = f"count/{word}"
    before = 0
    found = kv.get(key)
    if kv.status() == 0:
        before = int(found.decode())
    else:
        assert kv.status() == mailbox.NOT_FOUND
    kv.set(key, str(before + 1).encode(), 0)
    assert kv.status() == 0


@export
def countWords() -> i32:  # noqa: N802 - the name that all languages have
    found = kv.get("text")
    if kv.status() != 0:
        return -1
    words: i32 = 0
    for word in found.decode().split():
        count(word)
        words += 1
    return words
