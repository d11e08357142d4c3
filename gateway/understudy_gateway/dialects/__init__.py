"""How each product that the gateway speaks for answers: its status codes and its error envelope."""
