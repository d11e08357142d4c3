"""The REST gateway: turns HTTP calls into RPCs by what the protos say. Knows the messages and nothing of the server."""
