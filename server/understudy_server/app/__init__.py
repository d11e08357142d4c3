"""One use case per RPC. Names the interfaces it needs; the stores fill them."""
