"""The HTTP listeners between an app and its services."""
