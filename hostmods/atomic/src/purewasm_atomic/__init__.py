"""Host module `pantopic/wazero-atomic`: 64-bit counters that all guests share.

    from purewasm import Runtime
    from purewasm_atomic import Atomics

    counters = Atomics()
    with Runtime() as runtime:
        counters.register(runtime)
"""

from purewasm_atomic._version import __version__
from purewasm_atomic.module import Atomics, CounterError

__all__ = ["Atomics", "CounterError", "__version__"]
