"""Functions with several results."""

from pathlib import Path

from purewasm import Runtime, Trap

GUEST = Path(__file__).with_name("guest.wat")

with Runtime() as runtime:
    exports = runtime.instantiate(GUEST).exports
    quotient, remainder = exports.divide(17, 5)
    print("17 / 5 =", quotient, "remainder", remainder)
    print("mixed types:", exports.mixed())
    print("no result:", exports.nothing())
    try:
        exports.divide(1, 0)
    except Trap as trap:
        print("1 / 0 is a trap:", trap.code)
