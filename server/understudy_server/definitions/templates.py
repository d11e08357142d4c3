"""Templates, compiled."""

from understudy_server.core.profiles import Profile
from understudy_server.core.responding.assertive_templates import compile_assertive
from understudy_server.core.responding.templates import TextTemplate, compile_text
from understudy_server.core.templating.faults import BadTemplate
from understudy_server.core.templating.scanning import TOKENS_MAX
from understudy_server.definitions.unusable import Unusable


class TemplateCompiler:
    """Compiles the templates of one action: all of them together may be as large as one may be.

    ``profile`` is that of the environment, which says what they are written in.
    """

    __slots__ = ("_compile", "_tokens_left", "profile")

    def __init__(self, profile: Profile = Profile.FLOWMOCK) -> None:
        self.profile = profile
        self._compile = compile_assertive if profile is Profile.ASSERTIVE else compile_text
        self._tokens_left = TOKENS_MAX

    def compile(self, source: str, path: str) -> TextTemplate:
        """Compile a template that stands at a path. Raises Unusable."""
        try:
            template = self._compile(source)
        except BadTemplate as error:
            raise Unusable(path, "template", f"{path} is not a template: {error}") from error
        self._tokens_left -= template.tokens
        if self._tokens_left < 0:
            message = f"{path} and the templates before it have more than {TOKENS_MAX} words and signs in their tags"
            raise Unusable(path, "template", message)
        return template
