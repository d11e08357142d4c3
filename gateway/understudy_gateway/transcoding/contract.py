"""The contract as the gateway sees it: the services that have routes, and the comments of the protos."""

import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from understudy import v1

from understudy_gateway.transcoding.options import http_rule

_OF_SERVICES = "_service_pb2"
# Numbers of fields in descriptor.proto: the steps of the path by which a comment names what it belongs to.
_MESSAGES_OF_FILE, _ENUMS_OF_FILE, _SERVICES_OF_FILE = 4, 5, 6
_FIELDS_OF_MESSAGE, _MESSAGES_OF_MESSAGE, _ENUMS_OF_MESSAGE, _ONEOFS_OF_MESSAGE = 2, 3, 4, 8
_VALUES_OF_ENUM, _METHODS_OF_SERVICE = 2, 2


@dataclass(frozen=True, slots=True)
class Contract:
    """``services`` in the order of their files; ``comments`` by full name (``understudy.v1.Session.label``)."""

    services: tuple[ServiceDescriptor, ...]
    comments: dict[str, str] = field(default_factory=dict)

    def methods(self) -> list[MethodDescriptor]:
        """Every method that has a route over HTTP."""
        return [method for service in self.services for method in service.methods if http_rule(method) is not None]


@cache
def understudy() -> Contract:
    """Return Understudy's own contract, from the descriptor set that the client package carries."""
    import importlib.resources  # noqa: PLC0415 - for whoever documents, no server needs it

    packed = importlib.resources.files("understudy").joinpath("descriptors.binpb").read_bytes()
    stored = FileDescriptorSet.FromString(packed)
    modules = [_generated(file.name) for file in stored.file if file.service]
    services = tuple(service for module in modules for service in module.services_by_name.values())
    return Contract(services, _comments(stored))


@cache
def services_of_understudy() -> Contract:
    """Return the same contract without comments, and with its files by name: enough to serve it.

    The descriptor set is megabytes when it is read, and its comments take as long as all routes.
    """
    found = (module.name for module in pkgutil.iter_modules(v1.__path__) if module.name.endswith(_OF_SERVICES))
    modules = [importlib.import_module(f"{v1.__name__}.{name}").DESCRIPTOR for name in sorted(found)]
    return Contract(tuple(service for module in modules for service in module.services_by_name.values()))


def _generated(proto: str) -> FileDescriptor:
    """Return a file's descriptor through its generated module, so that messages are of the classes that callers use."""
    module = importlib.import_module(proto.removesuffix(".proto").replace("/", ".") + "_pb2")
    descriptor: FileDescriptor = module.DESCRIPTOR
    return descriptor


def _comments(files: FileDescriptorSet) -> dict[str, str]:
    comments: dict[str, str] = {}
    for file in files.file:
        names = dict(_names(file.package, file))
        for location in file.source_code_info.location:
            name = names.get(tuple(location.path))
            if name and location.leading_comments:
                comments[name] = location.leading_comments.strip()
    return comments


def _names(package: str, file: object) -> Iterable[tuple[tuple[int, ...], str]]:
    """Pair the path of everything nameable in a file with its full name."""
    children = {
        "message_type": _MESSAGES_OF_FILE,
        "enum_type": _ENUMS_OF_FILE,
        "service": _SERVICES_OF_FILE,
    }
    yield from _below((), package, file, children)


_CHILDREN: dict[str, dict[str, int]] = {
    "DescriptorProto": {
        "field": _FIELDS_OF_MESSAGE,
        "nested_type": _MESSAGES_OF_MESSAGE,
        "enum_type": _ENUMS_OF_MESSAGE,
        "oneof_decl": _ONEOFS_OF_MESSAGE,
    },
    "EnumDescriptorProto": {"value": _VALUES_OF_ENUM},
    "ServiceDescriptorProto": {"method": _METHODS_OF_SERVICE},
}


def _below(
    path: tuple[int, ...], scope: str, parent: object, children: dict[str, int]
) -> Iterable[tuple[tuple[int, ...], str]]:
    for attribute, number in children.items():
        for index, child in enumerate(getattr(parent, attribute)):
            step, name = (*path, number, index), f"{scope}.{child.name}"
            yield step, name
            yield from _below(step, name, child, _CHILDREN.get(type(child).__name__, {}))
