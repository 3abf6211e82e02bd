"""What host modules and guests are tested with. The pytest plugin `purewasm.testing.plugin` is found by itself where `purewasm-guest` is
installed (`pip install 'purewasm[testing]'`).

Fixtures: `runtime` (each test on both engines), `guest` (builds guests in every language), `fake_host` (scripted host modules).
Beside them: `MailboxGuest` and `PageGuest`, guests whose every byte a test decides; `conformance_cases` and `page_conformance_cases` of an
ABI file; `check_hostile` and `fuzz`, guests that break the ABI. Each is imported when it is first used: pytest loads this package for all
its users.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from purewasm.testing.conformance import ConformanceCase, conformance_cases
    from purewasm.testing.fakes import FakeHost, UnexpectedCallError
    from purewasm.testing.hostile import check_hostile, fuzz
    from purewasm.testing.page_conformance import PageCase, page_conformance_cases
    from purewasm.testing.raw_guests import MailboxGuest, PageGuest

_HOMES = {
    "ConformanceCase": "conformance", "FakeHost": "fakes", "MailboxGuest": "raw_guests", "PageCase": "page_conformance",
    "PageGuest": "raw_guests", "UnexpectedCallError": "fakes", "check_hostile": "hostile", "conformance_cases": "conformance",
    "fuzz": "hostile", "page_conformance_cases": "page_conformance",
}  # fmt: skip

__all__ = [
    "ConformanceCase",
    "FakeHost",
    "MailboxGuest",
    "PageCase",
    "PageGuest",
    "UnexpectedCallError",
    "check_hostile",
    "conformance_cases",
    "fuzz",
    "page_conformance_cases",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'purewasm.testing' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"purewasm.testing.{home}"), name)
    globals()[name] = value
    return value
