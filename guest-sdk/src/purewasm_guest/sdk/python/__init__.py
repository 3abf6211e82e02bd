"""The guest's side of host modules, in the subset that `purewasm_guest.python` compiles."""
