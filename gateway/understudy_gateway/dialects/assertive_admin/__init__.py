"""The pages of ``/__admin__``: plain data in, HTML out. Nothing here asks for anything; the routes do."""
