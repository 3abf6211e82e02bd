"""The suites: what is measured, one module each with `measure(context)`; `bench.suites.registry` lists them."""
