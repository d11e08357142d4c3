"""From HTTP to RPC and back, by descriptors alone: routes, JSON, presence, and the OpenAPI document."""
