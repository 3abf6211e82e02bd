"""What a module is: types, the opcode table, features, limits and exact arithmetic. Knows nothing of files, text or engines."""
