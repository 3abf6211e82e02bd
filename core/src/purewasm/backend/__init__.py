"""What turns IR into machine code without knowing the machine: placement of arguments, register allocation and its checker."""
