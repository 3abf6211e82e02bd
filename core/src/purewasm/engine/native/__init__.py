"""The native engine: machine code made by purewasm's own compiler, run by CPython through its C API. Linux on x86-64 so far."""
