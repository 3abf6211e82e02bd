// Package pipe: Messages to other guests and to the host, by the number of a pipe. The guest's side of `pantopic/wazero-pipe`. Written by `purewasm gen` from abi.toml: change that instead.
//
// There is no status: what the host cannot do ends the guest's call. For standard Go (GOOS=wasip1, -buildmode=c-shared)
// and TinyGo.
package pipe

import "unsafe"

// MessageCapacity is how long that may be, in bytes.
const MessageCapacity = 4096

var (
	cellPipe            uint32
	cellMessageCapacity uint32 = MessageCapacity
	cellMessageLength   uint32
	cellMessage         [MessageCapacity]byte
	page                [4]uint32
)

//go:wasmimport pantopic/wazero-pipe __pipe_send
func hostSend()

//go:wasmimport pantopic/wazero-pipe __pipe_recv
func hostRecv()

//go:wasmexport __pipe
func pageAddress() uint32 {
	page = [4]uint32{
		uint32(uintptr(unsafe.Pointer(&cellPipe))),
		uint32(uintptr(unsafe.Pointer(&cellMessageCapacity))),
		uint32(uintptr(unsafe.Pointer(&cellMessageLength))),
		uint32(uintptr(unsafe.Pointer(&cellMessage[0]))),
	}
	return uint32(uintptr(unsafe.Pointer(&page[0])))
}

// Send: Put a copy of the bytes into a pipe; waits for room.
func Send(pipe uint32, message []byte) {
	cellPipe = pipe
	if len(message) > MessageCapacity {
		panic("message has at most 4096 bytes")
	}
	cellMessageLength = uint32(copy(cellMessage[:], message))
	hostSend()
}

// Recv: Take the first message out of a pipe; waits for one.
func Recv(pipe uint32) []byte {
	cellPipe = pipe
	hostRecv()
	return append([]byte(nil), cellMessage[:cellMessageLength]...)
}
