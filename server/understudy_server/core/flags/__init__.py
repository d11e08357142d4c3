"""Feature flags: what a flag is, what it says for a context, and why. Pure: values in, values out, no clock."""
