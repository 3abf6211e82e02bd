// Package global is the guest's side of `pantopic/wazero-global`: named values that the host may override.
//
// Each function asks the host and returns its value, or the one given where the host has none. A name is UTF-8 of at most
// NameCapacity bytes; a longer one panics. For standard Go (GOOS=wasip1, -buildmode=c-shared) and TinyGo.
package global

import (
	"time"
	"unsafe"
)

// NameCapacity is how long a name may be, in bytes.
const NameCapacity = 64

var (
	value    uint64
	capacity uint32 = NameCapacity
	length   uint32
	name     [NameCapacity]byte
	page     [4]uint32
)

//go:wasmimport pantopic/wazero-global __global_get
func hostGet()

//go:wasmexport __global
func pageAddress() uint32 {
	page = [4]uint32{
		uint32(uintptr(unsafe.Pointer(&value))),
		uint32(uintptr(unsafe.Pointer(&capacity))),
		uint32(uintptr(unsafe.Pointer(&length))),
		uint32(uintptr(unsafe.Pointer(&name[0]))),
	}
	return uint32(uintptr(unsafe.Pointer(&page[0])))
}

// Uint64 is a 64-bit number.
func Uint64(key string, fallback uint64) uint64 {
	if len(key) > NameCapacity {
		panic("the name of a global has at most 64 bytes: " + key)
	}
	length = uint32(copy(name[:], key))
	value = fallback
	hostGet()
	return value
}

// Bool is true for 1 and false for everything else.
func Bool(key string, fallback bool) bool {
	var bits uint64
	if fallback {
		bits = 1
	}
	return Uint64(key, bits) == 1
}

// Duration is signed nanoseconds.
func Duration(key string, fallback time.Duration) time.Duration {
	return time.Duration(Uint64(key, uint64(fallback)))
}
