"""What to do so that exchanges are not lost again, by why they were. Each is told in a sentence of others."""

from collections.abc import Mapping
from typing import Final

from understudy_server.core.record import Lost

ADVICE: Final[Mapping[Lost, str]] = {
    Lost.SESSION_QUOTA: "let the environment keep more of a session (sessionLogEntriesMax, sessionLogBytesMax)",
    Lost.ENVIRONMENT_QUOTA: "let the environment keep more (logEntriesMax, logBytesMax)",
    Lost.SERVER_QUOTA: "let the server keep more in its journal",
    Lost.RETENTION: "ask sooner, or let the environment keep its logs for longer (logRetentionSeconds)",
    Lost.OVERLOAD: "send fewer requests at a time, or give the journal a faster disk",
    Lost.DISK: "see why the journal cannot be written (understudy status)",
    Lost.UNCLEAN_STOP: "run the test again in a session made anew, since the server was killed meanwhile",
}
