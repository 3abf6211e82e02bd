// Package atomic: Counters of 64 bits that all guests of a host share. The guest's side of `pantopic/wazero-atomic`. Written by `purewasm gen` from abi.toml: change that instead.
//
// There is no status: what the host cannot do ends the guest's call. For standard Go (GOOS=wasip1, -buildmode=c-shared)
// and TinyGo.
package atomic

import "unsafe"

var (
	cellSet   uint32
	cellId    uint64
	cellValue uint64
	page      [3]uint32
)

//go:wasmimport pantopic/wazero-atomic __atomic_uint64_add
func hostAdd()

//go:wasmimport pantopic/wazero-atomic __atomic_uint64_load
func hostLoad()

//go:wasmimport pantopic/wazero-atomic __atomic_uint64_store
func hostStore()

//go:wasmimport pantopic/wazero-atomic __atomic_uint64_del
func hostDelete()

//go:wasmexport __atomic
func pageAddress() uint32 {
	page = [3]uint32{
		uint32(uintptr(unsafe.Pointer(&cellSet))),
		uint32(uintptr(unsafe.Pointer(&cellId))),
		uint32(uintptr(unsafe.Pointer(&cellValue))),
	}
	return uint32(uintptr(unsafe.Pointer(&page[0])))
}

// Add: Add to a counter, modulo 2^64: the sum. A counter that is not there is 0.
func Add(set uint32, id uint64, value uint64) uint64 {
	cellSet = set
	cellId = id
	cellValue = value
	hostAdd()
	return cellValue
}

// Load: The value of a counter.
func Load(set uint32, id uint64) uint64 {
	cellSet = set
	cellId = id
	hostLoad()
	return cellValue
}

// Store: Give a counter a value.
func Store(set uint32, id uint64, value uint64) {
	cellSet = set
	cellId = id
	cellValue = value
	hostStore()
}

// Delete: Forget a counter: it is 0 again.
func Delete(set uint32, id uint64) {
	cellSet = set
	cellId = id
	hostDelete()
}
