"""Load a guest and call one of its functions."""

from pathlib import Path

from purewasm import Runtime

GUEST = Path(__file__).with_name("add.wat")

with Runtime() as runtime:
    instance = runtime.instantiate(GUEST)
    print("2 + 3 =", instance.exports.add(2, 3))
    # 32 bits: results wrap around, and come back signed.
    print("2147483647 + 1 =", instance.exports.add(2147483647, 1))
    try:
        instance.exports.add(2, 2**32)
    except OverflowError as error:
        print("2 + 2**32:", error)
