"""What host modules and guests are tested with. The pytest plugin `purewasm.testing.plugin` is found by itself.

Fixtures: `runtime` (each test on both engines), `guest` (builds C, Zig, Python and text guests), `fake_host` (scripted host modules).
Beside them: `MailboxGuest` and `PageGuest`, guests whose every byte a test decides; `conformance_cases` and
`page_conformance_cases` of an ABI file;
`check_hostile` and `fuzz`, guests that break the ABI.
"""

from purewasm.testing.conformance import ConformanceCase, conformance_cases
from purewasm.testing.fakes import FakeHost, UnexpectedCallError
from purewasm.testing.hostile import check_hostile, fuzz
from purewasm.testing.page_conformance import PageCase, page_conformance_cases
from purewasm.testing.raw_guests import MailboxGuest, PageGuest

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
