"""All that ``understudy flag`` can do."""

from understudy_server.cli import feature_flags, flag_evaluation

app = feature_flags.app
flag_evaluation.add_to(app)
