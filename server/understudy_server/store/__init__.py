"""Where declared state is kept."""
