"""Pass texts to a guest and get texts back."""

from pathlib import Path

from purewasm import Instance, Runtime

GUEST = Path(__file__).with_name("guest.wat")


def greet(instance: Instance, name: str) -> str:
    """The guest's greeting. A text crosses as address and length in the guest's memory, as UTF-8."""
    content = name.encode()
    address = instance.exports.allocate(len(content))
    instance.memory.write(address, content)
    greeting, length = instance.exports.greet(address, len(content))
    text = instance.memory.read_str(greeting, length)
    instance.exports.reset()
    return text


with Runtime() as runtime:
    instance = runtime.instantiate(GUEST)
    print(greet(instance, "world"))
    print(greet(instance, "Grüße aus dem Gast"))
    # More than the memory holds: the guest lets it grow, and the host's next access sees the larger one.
    long = greet(instance, "x" * 200_000)
    print(len(long), "characters, memory of", instance.memory.pages, "pages")
