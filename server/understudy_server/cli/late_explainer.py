"""Explains decisions where no proxy runs: from the data that a command has opened."""

from collections.abc import Sequence

from understudy.v1.mock_service_pb2 import Mock

from understudy_server.app.ports import Explainer
from understudy_server.core.explanation import Explanation, Subject
from understudy_server.core.state import State
from understudy_server.live.source import Source


class LateExplainer:
    """Makes its view of the data when it is first asked, since few commands ask, and it takes its time."""

    def __init__(self, source: Source, state: State) -> None:
        self._source = source
        self._state = state
        self._explainer: Explainer | None = None

    async def explain(
        self, subject: Subject, now_ms: int, considered_max: int, drafts: Sequence[Mock] = ()
    ) -> Explanation:
        """Explain a request, as `app.ports.Explainer` has it."""
        if self._explainer is None:
            self._explainer = self._make()
        return await self._explainer.explain(subject, now_ms, considered_max, drafts)

    def _make(self) -> Explainer:
        # Imported by who needs it: so commands start in half the time.
        from understudy_server.live.view import LiveView
        from understudy_server.proxy.explaining import ViewExplainer
        from understudy_server.proxy.settings import ProxySettings

        return ViewExplainer(LiveView(self._source), self._state, ProxySettings())
