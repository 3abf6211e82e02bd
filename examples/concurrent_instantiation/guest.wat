;; The sum of the squares up to $n, kept in memory, to show that each instance has its own.
(module
  (memory 1)
  (func (export "sum_of_squares") (param $n i32) (result i64)
    (loop $next
      (i64.store (i32.const 0)
        (i64.add (i64.load (i32.const 0))
                 (i64.mul (i64.extend_i32_u (local.get $n)) (i64.extend_i32_u (local.get $n)))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (local.get $n)))
    (i64.load (i32.const 0))))
