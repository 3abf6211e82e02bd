"""Settings that the host may override while the guest runs."""

from datetime import timedelta
from pathlib import Path

from purewasm import Instance, Runtime
from purewasm_global import Globals

GUEST = Path(__file__).with_name("guest.wasm")


def show(when: str, guest: Instance) -> None:
    seconds = guest.exports.timeout_ns() / 1_000_000_000
    print(f"{when}: verbose={bool(guest.exports.verbose())} retries={guest.exports.retries()} timeout={seconds:g}s")


settings = Globals()
with Runtime() as runtime:
    settings.register(runtime)
    guest = runtime.instantiate(GUEST)
    show("defaults of the guest", guest)

    settings.set_bool("VERBOSE", True)
    settings["RETRIES"] = 5
    settings["TIMEOUT"] = timedelta(milliseconds=1500)
    show("overridden by the host", guest)

    settings.clear()
    show("defaults again", guest)
