"""Which mock a request is for: patterns and criteria, compiled once into values of our own, and the index over them."""
