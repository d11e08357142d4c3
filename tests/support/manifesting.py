"""Manifests for tests, short to write: dictionaries in the form of JSON, and what applying them changed as lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import ParseDict
from support.dispatching import World
from understudy.status import Problem
from understudy.v1 import manifest_service_pb2 as pb
from understudy.v1.manifest_service_pb2 import Manifest, ManifestChange

SOURCE = "understudy.yaml"
SERVICE = "ManifestService"


def manifest(projects: Mapping[str, Any] | None = None, source: str = SOURCE, **fields: Any) -> Manifest:
    """A manifest of some projects, in proto's JSON (raw JSON is text, enums have their whole names)."""
    return ParseDict({"source": source, "projects": projects or {}, **fields}, Manifest())


def staging(source: str = SOURCE, *, existing: bool = False, **fields: Any) -> Manifest:
    """A manifest of the environment shop/staging: ``fields`` are of the environment."""
    marked = {"existing": True} if existing else {}
    return manifest({"shop": {**marked, "environments": {"staging": {**marked, **fields}}}}, source)


def answering(text: str, path: str = "", **fields: Any) -> dict[str, Any]:
    """A mock that answers with a text."""
    return {"matcher": {"path": path}, "action": {"respond": {"text": text}}, **fields}


@dataclass
class Operator:
    """Applies manifests in a world with one key (none: the owner)."""

    world: World
    key: str = ""

    async def changes(self, given: Manifest, **terms: bool) -> list[ManifestChange]:
        request = pb.ApplyManifestRequest(manifest=given, **terms)
        answer = await self.world.call(f"{SERVICE}.ApplyManifest", request, self.key)
        assert isinstance(answer, pb.ApplyManifestResponse)
        return list(answer.changes)

    async def apply(self, given: Manifest, **terms: bool) -> list[str]:
        """Apply, and tell the changes as lines."""
        return [line(change) for change in await self.changes(given, **terms)]

    async def refused(self, given: Manifest, **terms: bool) -> Problem:
        request = pb.ApplyManifestRequest(manifest=given, **terms)
        return await self.world.refused(f"{SERVICE}.ApplyManifest", request, self.key)

    async def dump(self, project: str = "", source: str = "") -> Manifest:
        request = pb.DumpManifestRequest(project=project, source=source)
        answer = await self.world.call(f"{SERVICE}.DumpManifest", request, self.key)
        assert isinstance(answer, pb.DumpManifestResponse)
        return answer.manifest

    async def release(self, source: str = SOURCE) -> int:
        request = pb.ReleaseManifestRequest(source=source)
        answer = await self.world.call(f"{SERVICE}.ReleaseManifest", request, self.key)
        assert isinstance(answer, pb.ReleaseManifestResponse)
        return answer.released


def line(change: ManifestChange) -> str:
    """A change as ``update mock shop/staging/ovr_a (name, action.respond.status)``."""
    kind = pb.ChangeKind.Name(change.kind).removeprefix("CHANGE_KIND_").lower()
    resource = pb.ResourceKind.Name(change.resource).removeprefix("RESOURCE_KIND_").lower()
    place = "/".join(filter(None, (change.project, change.environment, change.id)))
    fields = f"({', '.join(each.path for each in change.fields)})" if change.fields else ""
    renamed = f"-> {change.renamed_to}" if change.renamed_to else ""
    sessions = f"[{change.sessions} sessions]" if change.sessions else ""
    keys = f"[{change.keys} keys]" if change.keys else ""
    return " ".join(filter(None, (kind, resource, place, fields, renamed, sessions, keys)))
