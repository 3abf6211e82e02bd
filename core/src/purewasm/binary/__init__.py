"""The binary format (spec: binary format): bytes to `wasm.module` data and back. Checks form, not validity."""
