"""The public API: runtimes, modules, host modules, linking and the shared compilation cache."""
