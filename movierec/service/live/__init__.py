"""What changes while the service runs: its models, caches, counters and alarms; knows no HTTP."""
