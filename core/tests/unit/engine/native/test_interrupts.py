"""Deadlines, Ctrl-C and other threads while a guest runs."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from purewasm import Interrupted, Runtime

TEXT = """(module (func (export "loop") (param i64 f64) (result i64) (local v128 i32)
    (loop $l (local.set 0 (i64.add (local.get 0) (i64.const 1)))
      (br_if $l (i64.lt_u (local.get 0) (i64.const 0x7fffffffffffffff)))) (local.get 0))
  (func $fib (export "fib") (param i32) (result i32) (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
    (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "sum") (param i32) (result i64 f64) (local i64 f64)
    (loop $l (local.set 1 (i64.add (local.get 1) (i64.const 3))) (local.set 2 (f64.add (local.get 2) (f64.const 0.5)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1) (local.get 2)))"""


@pytest.mark.parametrize(("name", "args"), [("loop", (0, 0.0)), ("fib", (60,))])
def test_timeout(runtime: Runtime, name: str, args: tuple[object, ...]) -> None:
    exports = runtime.instantiate(TEXT).exports
    for _ in range(2):
        with pytest.raises(Interrupted, match="timeout"):
            getattr(exports, name).with_options(timeout=0.05)(*args)
    assert exports.fib(10) == 55


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself signals there")
def test_ctrl_c(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    timer = threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        exports.loop(0, 0.0)
    timer.join()
    assert exports.fib(10) == 55


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself signals there")
def test_a_signal_that_is_handled_goes_on(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    try:
        stop = threading.Event()

        def send() -> None:
            while not stop.wait(0.002):
                os.kill(os.getpid(), signal.SIGUSR1)

        sender = threading.Thread(target=send)
        sender.start()
        count = 60_000_000
        assert exports.sum(count) == (3 * count, count / 2)
        stop.set()
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen


def test_other_threads_get_their_turn(runtime: Runtime) -> None:
    exports = runtime.instantiate(TEXT).exports
    done = threading.Event()

    def work() -> None:
        for _ in range(20):
            time.sleep(0)
            assert exports.fib(10) == 55
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    with pytest.raises(Interrupted):
        exports.loop.with_options(timeout=0.5)(0, 0.0)
    assert done.wait(5)
    thread.join()


def test_an_interrupted_meter_refuses_calls(runtime: Runtime) -> None:
    instance = runtime.instantiate(TEXT)
    instance.meter.interrupt("stop it")
    with pytest.raises(Interrupted, match="stop it"):
        instance.exports.fib(3)
    instance.meter.release()
    assert instance.exports.fib(10) == 55
