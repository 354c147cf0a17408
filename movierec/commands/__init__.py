"""Groups of commands: what a person types and reads; what they compute lives in the library."""
