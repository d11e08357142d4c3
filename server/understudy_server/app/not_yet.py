"""What has to be done beside the event loop before an evaluation can be: it is raised, done, and then asked again."""


class NotYet(Exception):
    """There is something to be done first that takes too long for the event loop: do it, and ask again."""

    async def work(self) -> None:
        """Do it beside the event loop."""
        raise NotImplementedError
