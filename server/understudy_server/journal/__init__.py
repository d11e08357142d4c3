"""Where exchanges are recorded and asked for."""
