"""All that ``understudy session`` can do."""

from understudy_server.cli import session_export, session_freezing, session_health, session_watch, sessions

app = sessions.app
session_export.add_to(app)
session_freezing.add_to(app)
session_health.add_to(app)
session_watch.add_to(app)
