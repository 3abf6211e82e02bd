"""Host module `pantopic/wazero-pipe`: bounded pipes of messages between guests.

    from purewasm import Runtime
    from purewasm_pipe import Pipes

    with Runtime() as runtime:
        Pipes(capacity=16, timeout=5.0).register(runtime)
"""

from purewasm_pipe._version import __version__
from purewasm_pipe.channel import PipeClosedError, PipeError, PipeTimeoutError
from purewasm_pipe.module import Pipes

__all__ = ["PipeClosedError", "PipeError", "PipeTimeoutError", "Pipes", "__version__"]
