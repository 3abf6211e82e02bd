module purewasm

go 1.24
