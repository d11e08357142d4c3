"""Manifests as files: read into messages with the place of every value, and written from messages."""
