"""Give a guest two functions of the host: one that reads the guest's memory, one that may fail."""

from pathlib import Path
from random import Random

from purewasm import Caller, HostModule, Runtime, i32

GUEST = Path(__file__).with_name("guest.wat")
dice = Random(2024)
host = HostModule("host")


@host.function
def log(caller: Caller, address: i32, length: i32) -> None:
    """A first parameter of type Caller is the instance that calls; the guest itself passes the other two."""
    print("guest says:", caller.memory.read_str(address, length))


@host.function
def random(limit: i32) -> i32:
    if limit <= 0:
        raise ValueError(f"nothing to choose from below {limit}")
    return dice.randrange(limit)


with Runtime() as runtime:
    host.register(runtime)
    instance = runtime.instantiate(GUEST)
    total = instance.exports.roll(3)
    print("three dice between 3 and 18:", 3 <= total <= 18)

    # For one instance only, plain functions will do: their types are those that the guest imports.
    def refuse(_limit: int) -> int:
        raise PermissionError("no dice here")

    strict = runtime.instantiate(GUEST, imports={"host": {"random": refuse}})
    try:
        strict.exports.roll(1)
    except PermissionError as error:
        print("an error of the host passes through the guest:", error)
