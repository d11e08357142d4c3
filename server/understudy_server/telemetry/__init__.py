"""How a server is seen from outside: metrics, health, log lines and traces."""
