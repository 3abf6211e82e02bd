;; A guest of `pantopic/wazero-global` and `pantopic/wazero-atomic`, written by hand from docs/abi.md.
(module
  (import "pantopic/wazero-global" "__global_get" (func $global_get))
  (import "pantopic/wazero-atomic" "__atomic_uint64_add" (func $atomic_add))
  (memory (export "memory") 1)

  ;; the page of global at 16: value at 64, capacity at 72, length at 76, name at 80
  (data (i32.const 16) "\40\00\00\00" "\48\00\00\00" "\4c\00\00\00" "\50\00\00\00")
  (data (i32.const 72) "\20\00\00\00" "\07\00\00\00" "RETRIES")
  ;; the page of atomic at 32: set at 128, id at 136, value at 144
  (data (i32.const 32) "\80\00\00\00" "\88\00\00\00" "\90\00\00\00")

  (func (export "__global") (result i32) (i32.const 16))
  (func (export "__atomic") (result i32) (i32.const 32))

  (func (export "retries") (result i64)
    (i64.store (i32.const 64) (i64.const 3))
    (call $global_get)
    (i64.load (i32.const 64)))

  (func (export "ticket") (param $set i32) (param $id i64) (result i64)
    (i32.store (i32.const 128) (local.get $set))
    (i64.store (i32.const 136) (local.get $id))
    (i64.store (i32.const 144) (i64.const 1))
    (call $atomic_add)
    (i64.load (i32.const 144))))
