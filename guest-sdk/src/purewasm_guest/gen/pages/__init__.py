"""Writers for ABI files of version 0: pages of cells."""
