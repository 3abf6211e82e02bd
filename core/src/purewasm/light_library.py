"""Names of `functools`, `collections`, `operator`, `weakref` and `bisect` without the import of those modules, for what every start loads.

Each is Python around C, and what is used of it here is the C. Importing the rest takes 2 ms, a twentieth of the time of a small program.
Where a Python has the C in other places, the modules themselves are imported.
"""

from __future__ import annotations

from purewasm.light_typing import TYPE_CHECKING

__all__ = [
    "Sequence",
    "add",
    "and_",
    "attrgetter",
    "bisect_left",
    "bisect_right",
    "cache",
    "deque",
    "itemgetter",
    "length_hint",
    "lru_cache",
    "methodcaller",
    "mul",
    "neg",
    "partial",
    "ref",
    "sub",
    "xor",
]

if TYPE_CHECKING:
    from bisect import bisect_left, bisect_right
    from collections import deque
    from collections.abc import Sequence
    from functools import cache, lru_cache, partial
    from operator import add, and_, attrgetter, itemgetter, length_hint, methodcaller, mul, neg, sub, xor
    from weakref import ref
else:
    try:
        from _bisect import bisect_left, bisect_right
        from _collections import deque
        from _collections_abc import Sequence
        from _functools import _lru_cache_wrapper, partial
        from _operator import add, and_, attrgetter, itemgetter, length_hint, methodcaller, mul, neg, sub, xor
        from _weakref import ref
    except ImportError:
        from bisect import bisect_left, bisect_right
        from collections import deque
        from collections.abc import Sequence
        from functools import cache, lru_cache, partial
        from operator import add, and_, attrgetter, itemgetter, length_hint, methodcaller, mul, neg, sub, xor
        from weakref import ref
    else:

        def lru_cache(maxsize):
            """`functools.lru_cache` with its argument; what it gives has `cache_clear` and `__wrapped__`."""

            def decorate(function):
                cached = _lru_cache_wrapper(function, maxsize, False, _info)
                cached.__name__, cached.__doc__, cached.__wrapped__ = function.__name__, function.__doc__, function
                cached.__qualname__, cached.__module__ = function.__qualname__, function.__module__  # `pickle` finds it by these
                return cached

            return decorate

        def _info(*numbers):
            return numbers

        cache = lru_cache(None)
