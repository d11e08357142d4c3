"""Understudy's server: one core, many doors. `ARCHITECTURE.md` tells the story of a request."""
