"""The digest of a manifest: the same for equal ones, and another for every difference."""

from collections.abc import Callable

import pytest
from support.manifesting import answering, manifest
from understudy.v1.manifest_service_pb2 import Manifest
from understudy_server.app.manifests.digests import digest_of

Change = Callable[[Manifest], object]


def made() -> Manifest:
    environment = {
        "upstream": "https://staging.example.com",
        "hosts": ["a.example.com", "b.example.com"],
        "mocks": {"ovr_a": answering("a", "/a"), "ovr_b": answering("b")},
        "scenarios": {"scn_a": {"mocks": ["ovr_a"], "localMocks": {"ovr_l": answering("l")}}},
    }
    return manifest({"shop": {"name": "Shop", "environments": {"staging": environment, "qa": {}}}, "other": {}})


def test_equal_manifests_have_the_same_digest_whatever_the_order_of_their_making() -> None:
    turned = Manifest()
    for slug in ("other", "shop"):
        turned.projects[slug].CopyFrom(made().projects[slug])
    turned.source = made().source
    assert turned == made()
    assert digest_of(turned) == digest_of(Manifest.FromString(made().SerializeToString())) == digest_of(made())


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.ClearField("source"),
        lambda it: it.organisation.SetInParent(),
        lambda it: it.projects["third"],
        lambda it: it.projects.pop("other"),
        lambda it: it.projects["shop"].ClearField("name"),
        lambda it: it.projects["shop"].environments.pop("qa"),
        lambda it: it.projects["shop"].environments["staging"].hosts.reverse(),
        lambda it: it.projects["shop"].environments["staging"].mocks["ovr_a"].action.respond.ClearField("text"),
        lambda it: it.projects["shop"].environments["staging"].mocks["ovr_a"].matcher.ClearField("path"),
        lambda it: it.projects["shop"].environments["staging"].mocks.pop("ovr_b"),
        lambda it: it.projects["shop"].environments["staging"].scenarios["scn_a"].ClearField("mocks"),
        lambda it: it.projects["shop"].environments["staging"].scenarios["scn_a"].local_mocks.pop("ovr_l"),
    ],
)
def test_another_manifest_has_another_digest(change: Change) -> None:
    changed = made()
    change(changed)
    assert changed != made()
    assert digest_of(changed) != digest_of(made())
