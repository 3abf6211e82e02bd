(module
  (import "host" "log" (func $log (param i32 i32)))
  (import "host" "random" (func $random (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "rolling the dice")
  (func (export "roll") (param $dice i32) (result i32)
    (local $sum i32)
    (call $log (i32.const 0) (i32.const 16))
    (loop $next
      (if (local.get $dice)
        (then
          (local.set $sum (i32.add (local.get $sum) (i32.add (call $random (i32.const 6)) (i32.const 1))))
          (local.set $dice (i32.sub (local.get $dice) (i32.const 1)))
          (br $next))))
    (local.get $sum)))
