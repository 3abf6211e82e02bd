"""Scripts of the official testsuite (`.wast`) run through the public API, on any engine."""
