"""The command line. `serve` is the only place that joins the rooms."""
