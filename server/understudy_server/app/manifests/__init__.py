"""Manifests: what an operator declares as a whole, applied in one transaction, and written back."""
