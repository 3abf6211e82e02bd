// Package mailbox is the guest's side of host modules of version 1: the mailbox, and msgpack for it.
//
// Packages that `purewasm gen` writes use it. For standard Go (GOOS=wasip1, -buildmode=c-shared) and TinyGo.
// Not for several goroutines at once.
package mailbox

import (
	"errors"
	"math"
	"unsafe"
)

const (
	magic         = 0x31424d48 // "HMB1"
	fetch         = 1
	kept          = 2
	firstCapacity = 1024
	limit         = 16 << 20
)

// Mailbox is the struct that guest and host share.
type Mailbox struct {
	magic        uint32
	major, minor uint16
	operation    uint32
	status       int32
	buffer       uint32
	capacity     uint32
	length       uint32
	flags        uint32
	handle       uint64
}

// Box is the mailbox of one host module with its buffer.
type Box struct {
	shared Mailbox
	buffer []byte
	call   func()
}

// New makes the mailbox of a host module: the version that the guest was built against, and the import.
func New(major, minor uint16, call func()) *Box {
	box := &Box{call: call}
	box.shared.magic, box.shared.major, box.shared.minor = magic, major, minor
	box.resize(firstCapacity)
	return box
}

func (box *Box) resize(capacity int) {
	box.buffer = make([]byte, capacity)
	box.shared.buffer = uint32(uintptr(unsafe.Pointer(unsafe.SliceData(box.buffer))))
	box.shared.capacity = uint32(capacity)
}

// Address is where the host finds the mailbox. Go moves nothing on its heap.
func (box *Box) Address() uint32 { return uint32(uintptr(unsafe.Pointer(&box.shared))) }

// Error is an answer other than OK.
type Error struct {
	Status  int32
	Message string
}

func (e *Error) Error() string { return e.Message }

// Is makes errors.Is compare statuses.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Status == e.Status
}

// The statuses that every host module shares, for errors.Is.
var (
	NotFound    = &Error{1, "not found"}
	Exists      = &Error{2, "exists"}
	Invalid     = &Error{3, "invalid"}
	Denied      = &Error{4, "denied"}
	TooLarge    = &Error{5, "too large"}
	Timeout     = &Error{6, "timeout"}
	Unavailable = &Error{7, "unavailable"}
	Unsupported = &Error{8, "unsupported"}
	Internal    = &Error{9, "internal"}
)

var errAnswer = errors.New("the host's answer is not what the ABI says")

// Send makes one call; the reader is at the answer.
func (box *Box) Send(operation uint32, request Writer) (*Reader, error) {
	if len(request) > limit {
		return nil, TooLarge
	}
	if len(request) > len(box.buffer) {
		box.resize(2 * len(request))
	}
	shared := &box.shared
	shared.operation, shared.flags = operation, 0
	shared.length = uint32(copy(box.buffer, request))
	box.call()
	if shared.flags&kept != 0 {
		if shared.length > limit {
			return nil, TooLarge
		}
		box.resize(int(shared.length))
		shared.length, shared.flags = 0, fetch
		box.call()
	}
	in := &Reader{data: box.buffer[:shared.length]}
	if shared.status == 0 {
		return in, nil
	}
	failure := &Error{Status: shared.status, Message: "status without a message"}
	if len(in.data) > 0 && in.Array() == 3 {
		in.Int(32)
		if message := in.Str(); in.err == nil && message != "" {
			failure.Message = message
		}
	}
	return nil, failure
}

// Writer is a request that grows.
type Writer []byte

// Array begins an array of so many values.
func (out *Writer) Array(count int) {
	if count < 16 {
		*out = append(*out, byte(0x90|count))
	} else {
		out.number(0xdd, uint64(count), 4)
	}
}

func (out *Writer) number(tag byte, bits uint64, bytes int) {
	*out = append(*out, tag)
	for shift := 8 * (bytes - 1); shift >= 0; shift -= 8 {
		*out = append(*out, byte(bits>>shift))
	}
}

func (out *Writer) Uint(value uint64) { out.number(0xcf, value, 8) }
func (out *Writer) Int(value int64)   { out.number(0xd3, uint64(value), 8) }
func (out *Writer) F64(value float64) { out.number(0xcb, math.Float64bits(value), 8) }

func (out *Writer) Bool(value bool) {
	if value {
		*out = append(*out, 0xc3)
	} else {
		*out = append(*out, 0xc2)
	}
}

func (out *Writer) Str(value string) {
	out.number(0xdb, uint64(len(value)), 4)
	*out = append(*out, value...)
}

func (out *Writer) Bytes(value []byte) {
	out.number(0xc6, uint64(len(value)), 4)
	*out = append(*out, value...)
}

// Reader reads an answer. After the first thing that is not as expected, Err tells, and everything reads as zero.
type Reader struct {
	data []byte
	err  error
}

// Err is nil where everything was as expected.
func (in *Reader) Err() error { return in.err }

func (in *Reader) take(count int) []byte {
	if in.err != nil || count < 0 || len(in.data) < count {
		in.err = errAnswer
		return nil
	}
	found := in.data[:count]
	in.data = in.data[count:]
	return found
}

func (in *Reader) bits(count int) (bits uint64) {
	for _, one := range in.take(count) {
		bits = bits<<8 | uint64(one)
	}
	return bits
}

func (in *Reader) bad() { in.err = errAnswer }

// Array is the number of values of an array.
func (in *Reader) Array() int {
	switch tag := in.bits(1); {
	case tag >= 0x90 && tag <= 0x9f:
		return int(tag & 15)
	case tag == 0xdc:
		return int(in.bits(2))
	case tag == 0xdd:
		count := int(in.bits(4))
		if count > len(in.data) {
			in.bad()
			return 0
		}
		return count
	}
	in.bad()
	return 0
}

// Expect fails where the answer is not an array of so many values.
func (in *Reader) Expect(count int) {
	if in.Array() != count {
		in.bad()
	}
}

func (in *Reader) integer() (bits uint64, negative bool) {
	tag := in.bits(1)
	switch {
	case tag < 0x80:
		return tag, false
	case tag >= 0xe0:
		return uint64(int64(int8(tag))), true
	case tag >= 0xcc && tag <= 0xcf:
		return in.bits(1 << (tag - 0xcc)), false
	case tag >= 0xd0 && tag <= 0xd3:
		count := 1 << (tag - 0xd0)
		shift := 64 - 8*count
		value := int64(in.bits(count)<<shift) >> shift
		return uint64(value), value < 0
	}
	in.bad()
	return 0, false
}

// Uint is an unsigned integer of so many bits.
func (in *Reader) Uint(width int) uint64 {
	bits, negative := in.integer()
	if negative || width < 64 && bits>>width != 0 {
		in.bad()
		return 0
	}
	return bits
}

// Int is a signed integer of so many bits.
func (in *Reader) Int(width int) int64 {
	bits, negative := in.integer()
	value := int64(bits)
	if !negative && value < 0 || value<<(64-width)>>(64-width) != value {
		in.bad()
		return 0
	}
	return value
}

func (in *Reader) F64() float64 {
	if in.bits(1) != 0xcb {
		in.bad()
	}
	return math.Float64frombits(in.bits(8))
}

func (in *Reader) Bool() bool {
	tag := in.bits(1)
	if tag != 0xc2 && tag != 0xc3 {
		in.bad()
	}
	return tag == 0xc3
}

func (in *Reader) Str() string {
	switch tag := in.bits(1); {
	case tag >= 0xa0 && tag <= 0xbf:
		return string(in.take(int(tag & 31)))
	case tag >= 0xd9 && tag <= 0xdb:
		return string(in.take(int(in.bits(1 << (tag - 0xd9)))))
	}
	in.bad()
	return ""
}

// Bytes is a copy: it stays as it is at the next call.
func (in *Reader) Bytes() []byte {
	tag := in.bits(1)
	if tag < 0xc4 || tag > 0xc6 {
		in.bad()
		return nil
	}
	return append([]byte{}, in.take(int(in.bits(1<<(tag-0xc4))))...)
}
