"""What does not hold of a call, as the contract shows it."""

from collections.abc import Sequence

from understudy.v1.verification_service_pb2 import CallMismatch

from understudy_server.core.matching.mismatch import MISMATCHES_MAX, Mismatch


def call_mismatches(found: Sequence[Mismatch]) -> list[CallMismatch]:
    """At most 20 of them."""
    return [
        CallMismatch(field=each.field, expected=each.expected, actual=each.actual, code=each.code)
        for each in found[:MISMATCHES_MAX]
    ]
