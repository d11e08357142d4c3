"""What is kept of requests, compiled."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from understudy.v1.state_pb2 import Extraction as ExtractionMessage

from understudy_server.core import json_paths
from understudy_server.core.json_paths import BadPath
from understudy_server.core.responding import extracting
from understudy_server.core.responding.extracting import Extraction, Increment, Text
from understudy_server.core.state import Scope
from understudy_server.definitions.templates import TemplateCompiler
from understudy_server.definitions.unusable import Unusable
from understudy_server.definitions.usage import SCOPES


@dataclass(frozen=True, slots=True)
class ExtractionCompiler:
    """Compiles what one mock keeps. ``chain`` is the mock's, and ``parameters`` are the names in its path."""

    chain: str
    parameters: Collection[str]
    templates: TemplateCompiler

    def compile(self, messages: Iterable[ExtractionMessage], path: str) -> tuple[Extraction, ...]:
        """Compile extractions. ``path`` is that of their list. Raises Unusable."""
        return tuple([self._extraction(message, f"{path}[{place}]") for place, message in enumerate(messages)])

    def _extraction(self, message: ExtractionMessage, path: str) -> Extraction:
        scope = SCOPES.get(message.scope)
        if scope is None:
            raise Unusable(f"{path}.scope", "unknown", f"{path}.scope is none that there is", str(message.scope))
        if scope is Scope.CHAIN and not self.chain:
            raise Unusable(f"{path}.scope", "chain", f"{path}.scope is chain, and the mock has no chain", "chain")
        if not message.key:
            raise Unusable(f"{path}.key", "required", f"{path}.key is required")
        return self._with_source(scope, message, path)

    def _with_source(self, scope: Scope, message: ExtractionMessage, path: str) -> Extraction:
        key = message.key
        match message.WhichOneof("source"):
            case "json_path":
                return Extraction(scope, key, _by_json_path(message.json_path, f"{path}.json_path"), wants_body=True)
            case "header":
                return Extraction(scope, key, extracting.by_header(message.header))
            case "query":
                return Extraction(scope, key, extracting.by_query(message.query))
            case "cookie":
                return Extraction(scope, key, extracting.by_cookie(message.cookie))
            case "path_parameter":
                self._check_parameter(message.path_parameter, f"{path}.path_parameter")
                return Extraction(scope, key, extracting.by_path_parameter(message.path_parameter))
            case "template":
                template = self.templates.compile(message.template, f"{path}.template")
                return Extraction(scope, key, extracting.by_template(template), template.counts, template.wants_body)
            case "value":
                return Extraction(scope, key, Text(_json_text(message.value, f"{path}.value")))
            case "increment":
                return Extraction(scope, key, Increment(message.increment))
            case _:
                raise Unusable(path, "required", f"{path} does not say where the value comes from")

    def _check_parameter(self, name: str, path: str) -> None:
        if name not in self.parameters:
            raise Unusable(path, "parameter", f"{path} is none of the mock's path", name)


def _by_json_path(text: str, path: str) -> extracting.Find:
    try:
        return extracting.by_json_path(json_paths.query(text))
    except BadPath as error:
        raise Unusable(path, "json_path", f"{path} is no JSONPath: {error}", text) from error


def _json_text(text: str, path: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unusable(path, "json", f"{path} is not JSON", text) from error
    return text
