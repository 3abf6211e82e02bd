"""Functions that have to give the same in CPython and as a guest."""

from dataclasses import dataclass

from purewasm_guest.python import export, f32, f64, i32, i64, u32, u64

PRIMES = (2, 3, 5, 7, 11, 13)
WORDS = ("one", "zwei", "três", "四")
SCALE: f64 = 0.5
LIMIT = 1 << 20


@dataclass
class Point:
    x: f64
    y: f64
    name: str = "p"

    def length2(self) -> f64:
        return self.x * self.x + self.y * self.y

    def move(self, dx: f64, dy: f64 = 1.0) -> None:
        self.x += dx
        self.y += dy


@export
def arithmetic_i32(a: i32, b: i32) -> i32:
    return (a + b) * (a - b) ^ (a & 255) | (~b & 15)


@export
def arithmetic_u32(a: u32, b: u32) -> u32:
    return (a + b) * (a - b) ^ (a & 255) | (~b & 15)


@export
def arithmetic_i64(a: i64, b: i64) -> i64:
    return -(a + b) * (a - b) ^ abs(a) | (~b & 15)


@export
def arithmetic_u64(a: u64, b: u64) -> u64:
    return (a + b) * (a - b) ^ a | (~b & 15)


@export
def floor_i32(a: i32, b: i32) -> i32:
    return a // b


@export
def modulo_i32(a: i32, b: i32) -> i32:
    return a % b


@export
def floor_i64(a: i64, b: i64) -> i64:
    return a // b


@export
def modulo_i64(a: i64, b: i64) -> i64:
    return a % b


@export
def floor_u64(a: u64, b: u64) -> u64:
    return a // b + a % b


@export
def left_i32(a: i32, n: i32) -> i32:
    return a << n


@export
def right_i32(a: i32, n: i32) -> i32:
    return a >> n


@export
def left_u64(a: u64, n: u64) -> u64:
    return a << n


@export
def right_u32(a: u32, n: u32) -> u32:
    return a >> n


@export
def power_i64(a: i64, n: i64) -> i64:
    found: int = a**n
    return found


@export
def divided(a: i32, b: i32) -> float:
    return a / b


@export
def float_arithmetic(a: float, b: float) -> float:
    return (a + b) * SCALE - a * b


@export
def float_divided(a: float, b: float) -> float:
    return a / b


@export
def float_modulo(a: float, b: float) -> float:
    return a % b


@export
def float_floor(a: float, b: float) -> float:
    return a // b


@export
def single(a: f32, b: f32) -> f32:
    return a * b + a


@export
def compared(a: int, b: int, c: int) -> bool:
    return a < b <= c or (a == c and not b > 5) or b != c > a


@export
def chosen(a: int, b: int) -> int:
    return (a or b) + (a and b) + (a if a > b else -b) + min(a, b, 3) * 2 - max(a, 4)


@export
def collatz(n: u32) -> u32:
    turns: u32 = 0
    while n != 1 and turns < 500:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        turns += 1
    else:
        turns += 1000
    return turns


@export
def ranges(start: i32, stop: i32, step: i32) -> int:
    total = 0
    for i in range(start, stop, step):
        if i % 7 == 3:
            continue
        total = total * 31 + int(i)
        if abs(total) > LIMIT:
            total %= 1000
        if i == 1000:
            break
    else:
        total += 1
    return total


@export
def sieve(count: int) -> int:
    flags = [True] * count
    found = 0
    for i in range(2, count):
        if flags[i]:
            found += 1
            for j in range(i * i, count, i):
                flags[j] = False
    return found


@export
def numbers(values: list[int]) -> list[int]:
    made: list[int] = []
    for index, value in enumerate(values):
        if value in PRIMES:
            made.append(value * 2)
        elif value < 0 and len(made) > 0:
            made[-1] += value & 0xFFFF
        else:
            made.extend([index, value])
    made += made[1:3] + values[-2:]
    if len(made) > 3:
        made.pop(1)
        made.pop()
    return made


@export
def floats(values: list[f64]) -> list[f64]:
    made = [0.0] * len(values)
    for i in range(len(values)):
        made[len(values) - 1 - i] = values[i]
    return made


@export
def item(values: list[i32], index: int) -> i32:
    return values[index]


@export
def points(x: f64, y: f64) -> f64:
    all_points = [Point(x, y), Point(y=x, x=y, name="q"), Point(1.0, 2.0)]
    total = 0.0
    for point in all_points:
        point.move(0.5)
        if point.name != "p":
            point.move(dy=2.0, dx=x)
        total += point.length2()
    return total


@export
def slices(text: str, start: int, stop: int) -> str:
    return text[start:stop] + "|" + text[start:] + "|" + text[:stop]


@export
def character_at(text: str, index: int) -> str:
    return text[index]


@export
def text_facts(text: str, part: str) -> str:
    found = f"{len(text)} {text.find(part)} {part in text} {text.count(part)} {text.startswith(part)} {text.endswith(part)}"
    return found + f" {text < part} {text == part} {text >= part} {len(text.encode())}"


@export
def words(text: str) -> str:
    parts = text.split(",")
    parts.append(WORDS[len(parts) % 4])
    return "; ".join(parts) * 2 + text.replace("a", "bb")


@export
def spelled(text: str) -> str:
    made = ""
    for character in text:
        code = ord(character)
        made += chr(code + 1) if code < 0xD7FE else character
    return made


@export
def data(content: bytes, index: int) -> bytes:
    total = 0
    for byte in content:
        total += byte
    return content[index:] + bytes([total % 256, content[0]]) + bytes(2) + b"\x00end"


@export
def written(number: i64) -> str:
    return str(number)


@export
def written_u64(number: u64) -> str:
    return str(number)


@export
def read(text: str) -> int:
    return int(text)


@export
def converted(number: i64) -> int:
    return int(i32(number)) + int(u32(number)) * 2 + int(u64(number) >> 60) + int(float(number & 1023) / 3.0)


@export
def swapped(a: int, b: int) -> int:
    for _ in range(3):
        a, b = b, a - b
    return a * 1000 + b
