(module
  (func (export "divide") (param $number i32) (param $by i32) (result i32 i32)
    (i32.div_s (local.get $number) (local.get $by))
    (i32.rem_s (local.get $number) (local.get $by)))
  (func (export "mixed") (result i32 i64 f32 f64)
    (i32.const -1) (i64.const 9007199254740993) (f32.const 0.5) (f64.const 0.1))
  (func (export "nothing")))
