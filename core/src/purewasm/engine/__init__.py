"""Engines run guest code. Each fills the protocol in `protocol`; none imports another."""
