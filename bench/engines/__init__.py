"""The runtimes that are compared, one adapter each behind the protocol of `bench.engines.protocol`."""
