"""Responses that are made anew for each request: of templates, and of files."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Final

from understudy_server.core.responding.files import FileContent, Files
from understudy_server.core.responding.making import CannotAnswer
from understudy_server.core.responding.prepared import Prepared, Shape, shape
from understudy_server.core.responding.response import Headers, Response
from understudy_server.core.responding.templates import TextTemplate
from understudy_server.core.templating.faults import Fault
from understudy_server.core.templating.running import OUTPUT_MAX, Run

FILE_MISSING: Final = "file_missing"
HEADER_VALUE_MAX: Final = 8192

_VALUE = re.compile(r"([\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?)?")


@dataclass(frozen=True, slots=True)
class FixedResponse:
    """Always the same."""

    response: Response
    counts: ClassVar[bool] = False
    wants_body: ClassVar[bool] = False
    repeats: ClassVar[bool] = True

    def make(self, run: Run) -> Prepared:  # noqa: ARG002 - as those that look at the request
        return self.response.prepared


def fixed_body(body: bytes) -> Callable[[Run], bytes]:
    """A body that is always the same."""
    return lambda _: body


def template_body(template: TextTemplate) -> Callable[[Run], bytes]:
    """A body that a template makes, in UTF-8."""

    def make(run: Run) -> bytes:
        body = encoded(template.render(run))
        if len(body) > OUTPUT_MAX:
            raise Fault("the output grows beyond 1 MiB")
        return body

    return make


def encoded(text: str) -> bytes:
    """A text that a template made, in UTF-8. Bytes of the request that were none come out as they came in."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            # Half of a pair of surrogates, which JSON can say and UTF-8 cannot.
            return text.encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class MadeHeaders:
    """Headers in their order, each with its fixed value or a template for it."""

    headers: tuple[tuple[str, str | TextTemplate], ...]

    @property
    def templates(self) -> tuple[TextTemplate, ...]:
        """All of their templates."""
        return tuple([value for _, value in self.headers if isinstance(value, TextTemplate)])

    def fixed(self) -> Headers | None:
        """The headers, if all of them are always the same."""
        return None if self.templates else tuple([(name, str(value)) for name, value in self.headers])

    def make(self, run: Run) -> Headers:
        """The headers of one answer. Raises Fault."""
        return tuple(
            [(name, value if isinstance(value, str) else _value(run, name, value)) for name, value in self.headers]
        )


@dataclass(frozen=True, slots=True)
class MadeResponse:
    """A response with a body, or values of headers, that are made. ``templates`` are those of the body."""

    status: int
    headers: MadeHeaders
    body: Callable[[Run], bytes]
    templates: tuple[TextTemplate, ...] = ()
    counts: bool = field(init=False)
    wants_body: bool = field(init=False)
    repeats: bool = field(init=False)
    _shape: Shape | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        fixed, templates = self.headers.fixed(), self.headers.templates + self.templates
        object.__setattr__(self, "_shape", None if fixed is None else shape(self.status, fixed))
        object.__setattr__(self, "counts", any(template.counts for template in templates))
        object.__setattr__(self, "wants_body", any(template.wants_body for template in templates))
        object.__setattr__(self, "repeats", all(template.repeats for template in templates))

    def make(self, run: Run) -> Prepared:
        made = self._shape or shape(self.status, self.headers.make(run))
        return made.with_body(self.body(run))


class FileResponse:
    """A file of the environment, as it is now. Its content type stands before ``headers``, unless these name one or it
    is ``bare``.

    What was made of a file is kept for as long as it is the same.
    """

    repeats: ClassVar[bool] = False

    __slots__ = ("_files", "_headers", "_made", "_name", "_status", "_typed", "counts", "wants_body")

    def __init__(self, status: int, headers: MadeHeaders, name: str, files: Files, *, bare: bool = False) -> None:
        self._status = status
        self._headers = headers
        self._name = name
        self._files = files
        self._typed = bare or any(name.lower() == "content-type" for name, _ in headers.headers)
        self._made: tuple[FileContent, Prepared] | None = None
        self.counts = any(template.counts for template in headers.templates)
        self.wants_body = any(template.wants_body for template in headers.templates)

    def make(self, run: Run) -> Prepared:
        file, fixed, made = file_of(self._files, self._name), self._headers.fixed(), self._made
        if fixed is None:
            return self._prepared(file, self._headers.make(run))
        if made is None or made[0] is not file:
            made = self._made = (file, self._prepared(file, fixed))
        return made[1]

    def _prepared(self, file: FileContent, headers: Headers) -> Prepared:
        if not self._typed:
            headers = (("content-type", file.content_type), *headers)
        return shape(self._status, headers).with_body(file.content)


def _value(run: Run, name: str, template: TextTemplate) -> str:
    value = template.render(run).strip(" \t")
    if len(value) > HEADER_VALUE_MAX or not _VALUE.fullmatch(value):
        raise Fault(f"the header {name} would have a value that no header may have")
    return value


def file_of(files: Files, name: str) -> FileContent:
    """A file. Raises CannotAnswer when there is none by now."""
    file = files(name)
    if file is None:
        raise CannotAnswer(FILE_MISSING, f"the mock answers with the file {name!r}, which is not there")
    return file
