"""`purewasm gen`: from the ABI file of a host module to its host's base class, guest SDKs, documentation and conformance cases."""
