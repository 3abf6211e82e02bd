;; Texts in and out: the host asks for space, writes its text there, and passes the address and the length.
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "Hello, ")
  (data (i32.const 7) "!")
  (global $next (mut i32) (i32.const 8))

  ;; Space for $size bytes, from a memory that grows as needed; 0 if there is no more. `reset` gives all of it back.
  (func $allocate (export "allocate") (param $size i32) (result i32)
    (local $start i32) (local $end i64) (local $missing i64)
    (local.set $start (global.get $next))
    (local.set $end (i64.add (i64.extend_i32_u (local.get $start)) (i64.extend_i32_u (local.get $size))))
    (local.set $missing (i64.sub (local.get $end) (i64.mul (i64.extend_i32_u (memory.size)) (i64.const 65536))))
    (if (i64.gt_s (local.get $missing) (i64.const 0))
      (then
        (if (i32.eq (memory.grow (i32.wrap_i64 (i64.div_u (i64.add (local.get $missing) (i64.const 65535)) (i64.const 65536))))
                    (i32.const -1))
          (then (return (i32.const 0))))))
    (global.set $next (i32.wrap_i64 (local.get $end)))
    (local.get $start))

  (func (export "reset") (global.set $next (i32.const 8)))

  ;; "Hello, NAME!" as address and length.
  (func (export "greet") (param $name i32) (param $length i32) (result i32 i32)
    (local $text i32)
    (local.set $text (call $allocate (i32.add (local.get $length) (i32.const 8))))
    (if (i32.eqz (local.get $text)) (then unreachable))
    (memory.copy (local.get $text) (i32.const 0) (i32.const 7))
    (memory.copy (i32.add (local.get $text) (i32.const 7)) (local.get $name) (local.get $length))
    (memory.copy (i32.add (i32.add (local.get $text) (i32.const 7)) (local.get $length)) (i32.const 7) (i32.const 1))
    (local.get $text)
    (i32.add (local.get $length) (i32.const 8))))
