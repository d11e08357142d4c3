"""The pages of ``/__admin__``: plain data in, HTML out. Nothing here asks for anything; that is for its routes."""
