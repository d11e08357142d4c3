"""Verifications as JUnit XML, which every CI system shows: one test case for each expectation.

What failed is a ``failure``. What could not be told is an ``error``: it is no verdict about the app.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

from understudy.v1 import verification_service_pb2 as pb

# What XML 1.0 cannot hold, not even escaped.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(session_key: str, verifications: Sequence[pb.Verification]) -> bytes:
    """Write a report, UTF-8 with an XML declaration."""
    suite = ET.Element("testsuite", name=_fit(f"understudy session {session_key}"))
    for number, verification in enumerate(verifications, 1):
        for case in _cases(number, verification):
            suite.append(case)
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("skipped", "0")
    suite.set("time", f"{sum(each.duration_ms for each in verifications) / 1000:.3f}")
    if verifications:
        suite.set("timestamp", verifications[0].asked_at.ToJsonString().removesuffix("Z"))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _cases(number: int, verification: pb.Verification) -> Iterable[ET.Element]:
    place = f"verification {number}"
    seconds = f"{verification.duration_ms / 1000:.3f}"
    for outcome in verification.outcomes:
        yield _case(place, outcome.name, seconds, outcome.verdict, outcome.message, "\n".join(near_lines(outcome)))
    for name, verdict in (("in this order", verification.order), ("no others", verification.others)):
        if verdict:
            yield _case(place, name, seconds, verdict, verification.message, "")


def _case(place: str, name: str, seconds: str, verdict: pb.Verdict, message: str, detail: str) -> ET.Element:
    case = ET.Element("testcase", classname=place, name=_fit(name or place), time=seconds)
    if verdict != pb.VERDICT_PASSED:
        failed = verdict == pb.VERDICT_FAILED
        tag, kind = ("failure", "failed") if failed else ("error", "inconclusive")
        ET.SubElement(case, tag, type=kind, message=_fit(message)).text = _fit(detail)
    return case


def near_lines(outcome: pb.Outcomes) -> list[str]:
    """The calls that come nearest to what was expected, and what does not hold of each: lines for people."""
    lines = []
    for call in outcome.near_calls:
        lines.append(f"near: {call.request} ({call.log_id})")
        lines += [
            f"  {each.field}: expected {each.expected}, got {each.actual or 'nothing'}" for each in call.mismatches
        ]
    return lines


def _fit(text: str) -> str:
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)
