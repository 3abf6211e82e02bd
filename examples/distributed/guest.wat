(module
  ;; Steps that a number takes to reach 1, halved when it is even, else tripled and one more.
  (func $steps (export "steps") (param $n i64) (result i32)
    (local $count i32)
    (loop $again
      (if (i64.gt_u (local.get $n) (i64.const 1))
        (then
          (if (i64.eqz (i64.and (local.get $n) (i64.const 1)))
            (then (local.set $n (i64.shr_u (local.get $n) (i64.const 1))))
            (else (local.set $n (i64.add (i64.mul (local.get $n) (i64.const 3)) (i64.const 1)))))
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (br $again))))
    (local.get $count)))
