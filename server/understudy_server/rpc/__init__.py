"""One dispatcher with one chain of checks around every call, and its gRPC door."""
