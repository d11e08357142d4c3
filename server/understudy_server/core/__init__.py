"""The rules, pure: values in, values out. Imports only itself."""
