"""Run a WASI program, with one directory of the host and nothing else."""

import tempfile
from pathlib import Path

from purewasm import Runtime
from purewasm_wasi import Wasi

CAT = Path(__file__).with_name("cat.wasm")

with tempfile.TemporaryDirectory() as folder, Runtime() as runtime:
    jail = Path(folder) / "jail"
    jail.mkdir()
    (jail / "hello.txt").write_text("hello from the directory\n", encoding="utf-8")
    (Path(folder) / "secret.txt").write_text("not for guests\n", encoding="utf-8")
    module = runtime.compile(CAT)

    def cat(*names: str, text: bytes = b"") -> None:
        """Run cat and show what it wrote and how it ended."""
        with Wasi(["cat", *names], read_only_dirs={"/data": jail}) as wasi:
            done = wasi.run(module, runtime=runtime, input=text, capture=True)
        print(f"cat {' '.join(names)}".rstrip(), "-> status", done.returncode)
        for line in ((done.stdout or b"") + (done.stderr or b"")).decode().splitlines():
            print("   ", line)

    cat("/data/hello.txt")
    cat(text=b"what stands on standard input\n")
    cat("/data/hello.txt", "/data/none.txt")
    cat("/data/../secret.txt")
    cat("/etc/passwd")
