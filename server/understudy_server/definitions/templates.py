"""Templates, compiled."""

from understudy_server.core.responding.templates import TextTemplate, compile_text
from understudy_server.core.templating.faults import BadTemplate
from understudy_server.core.templating.scanning import TOKENS_MAX
from understudy_server.definitions.unusable import Unusable


class TemplateCompiler:
    """Compiles the templates of one action: all of them together may be as large as one may be."""

    __slots__ = ("_tokens_left",)

    def __init__(self) -> None:
        self._tokens_left = TOKENS_MAX

    def compile(self, source: str, path: str) -> TextTemplate:
        """Compile a template that stands at a path. Raises Unusable."""
        try:
            template = compile_text(source)
        except BadTemplate as error:
            raise Unusable(path, "template", f"{path} is not a template: {error}") from error
        self._tokens_left -= template.tokens
        if self._tokens_left < 0:
            message = f"{path} and the templates before it have more than {TOKENS_MAX} words and signs in their tags"
            raise Unusable(path, "template", message)
        return template
