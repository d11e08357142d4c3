"""What the proxy reads: compiled environments and sessions, kept current from the store."""
