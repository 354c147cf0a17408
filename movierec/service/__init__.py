"""The recommendation service: engine, store, HTTP."""
