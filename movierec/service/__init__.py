"""The recommendation service: storage, what is live, and the HTTP API."""
