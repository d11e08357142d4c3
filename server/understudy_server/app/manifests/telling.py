"""What is told of the changes that a manifest makes: how many there are, and as many of them as were asked for."""

from collections import Counter

from understudy.v1.manifest_service_pb2 import ApplyManifestResponse, ChangeCount

from understudy_server.app.manifests.plan import Change
from understudy_server.core.giving_way import giving_way, let_go, taking


def tell(answer: ApplyManifestResponse, changes: list[Change], most: int) -> None:
    """Put changes, which are in the order of their places, into an answer; the list is empty then. ``most`` 0: all."""
    kinds = Counter([change.kind for change in giving_way(changes)])
    answer.counts.extend([ChangeCount(kind=kind, count=kinds[kind]) for kind in sorted(kinds)])
    if most and len(changes) > most:
        answer.changes.extend([change.told() for change in giving_way(_chosen(changes, most))])
        let_go(changes)
    else:
        answer.changes.extend(change.told() for change in taking(changes))


def _chosen(changes: list[Change], most: int) -> list[Change]:
    """So many, in their order: those by which somebody loses something, and then the first ones."""
    lost = [place for place, change in enumerate(giving_way(changes)) if change.sessions or change.keys][:most]
    chosen = set(lost)
    for place in range(len(changes)):
        if len(chosen) == most:
            break
        chosen.add(place)
    return [changes[place] for place in sorted(chosen)]
