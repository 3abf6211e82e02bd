;; A guest of `purewasm/globals@1`, written by hand from docs/abi.md: the mailbox at 16, its buffer at 1024.
(module
  (import "purewasm/globals@1" "__globals_call" (func $call))
  (memory (export "memory") 1)
  (data (i32.const 16) "HMB1" "\01\00" "\00\00")
  ;; requests: get_many(["RETRIES", "LIMIT"], [3, 100]), list("", "")
  (data (i32.const 512) "\92\92\a7RETRIES\a5LIMIT\92\03\64")
  (data (i32.const 544) "\92\a0\a0")
  ;; {"purewasm/globals": [1, 0]}
  (@custom "hostmods" "\81\b0purewasm/globals\92\01\00")

  (func (export "__globals") (result i32) (i32.const 16))

  ;; operation, request, its length, capacity of the buffer, flags; the status
  (func $send (param $operation i32) (param $request i32) (param $length i32) (param $capacity i32) (param $flags i32) (result i32)
    (memory.copy (i32.const 1024) (local.get $request) (local.get $length))
    (i32.store offset=8 (i32.const 16) (local.get $operation))
    (i32.store offset=16 (i32.const 16) (i32.const 1024))
    (i32.store offset=20 (i32.const 16) (local.get $capacity))
    (i32.store offset=24 (i32.const 16) (local.get $length))
    (i32.store offset=28 (i32.const 16) (local.get $flags))
    (call $call)
    (i32.load offset=12 (i32.const 16)))

  ;; the sum of two values below 128, which are the bytes behind the head of an array of two; -1 minus the status where there is none
  (func (export "sum") (result i32) (local $status i32)
    (local.set $status (call $send (i32.const 1) (i32.const 512) (i32.const 19) (i32.const 4096) (i32.const 0)))
    (if (result i32) (local.get $status)
      (then (i32.sub (i32.const -1) (local.get $status)))
      (else
        (if (i32.or
              (i32.ne (i32.load offset=24 (i32.const 16)) (i32.const 3))
              (i32.ne (i32.load8_u (i32.const 1024)) (i32.const 0x92)))
          (then unreachable))
        (i32.add (i32.load8_u (i32.const 1025)) (i32.load8_u (i32.const 1026))))))

  ;; the status of a request that is an array of nothing: the host ends the call
  (func (export "wrong") (result i32)
    (i32.store8 (i32.const 600) (i32.const 0x90))
    (call $send (i32.const 1) (i32.const 600) (i32.const 1) (i32.const 64) (i32.const 0)))

  ;; the status of an operation that there is not
  (func (export "unknown") (result i32)
    (i32.store8 (i32.const 600) (i32.const 0x90))
    (call $send (i32.const 77) (i32.const 600) (i32.const 1) (i32.const 64) (i32.const 0)))

  ;; how long the list of names is: first with a buffer that is too small, then fetched
  (func (export "list") (result i32) (local $needed i32)
    (if (call $send (i32.const 2) (i32.const 544) (i32.const 3) (i32.const 4) (i32.const 0)) (then unreachable))
    (if (i32.ne (i32.load offset=28 (i32.const 16)) (i32.const 2)) (then unreachable))
    (local.set $needed (i32.load offset=24 (i32.const 16)))
    (if (call $send (i32.const 2) (i32.const 544) (i32.const 0) (local.get $needed) (i32.const 1)) (then unreachable))
    (if (i32.load offset=28 (i32.const 16)) (then unreachable))
    (if (i32.ne (i32.load offset=24 (i32.const 16)) (local.get $needed)) (then unreachable))
    (local.get $needed))

  ;; the status of a fetch when nothing is kept
  (func (export "fetch") (result i32)
    (call $send (i32.const 2) (i32.const 544) (i32.const 0) (i32.const 64) (i32.const 1))))
