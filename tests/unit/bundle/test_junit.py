import xml.etree.ElementTree as ET
from typing import Any

from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from understudy.v1 import verification_service_pb2 as pb
from understudy_server.bundle.junit import junit


def verification(verdict: str, *outcomes: dict[str, Any]) -> pb.Verification:
    whole = {
        "verdict": f"VERDICT_{verdict}",
        "message": "judged over 3 exchanges",
        "outcomes": outcomes,
        "durationMs": "1500",
        "askedAt": "2026-06-23T12:00:00Z",
    }
    return ParseDict(whole, pb.Verification())


def outcome(verdict: str, name: str = "pays once", **fields: Any) -> dict[str, Any]:
    return {"name": name, "verdict": f"VERDICT_{verdict}", "message": "expected 1 call, and there were 2", **fields}


def suite_of(*verifications: pb.Verification) -> ET.Element:
    suite = ET.fromstring(junit("ci-42", verifications)).find("testsuite")
    assert suite is not None
    return suite


def test_each_expectation_is_a_case_and_the_suite_counts_them() -> None:
    suite = suite_of(
        verification("FAILED", outcome("PASSED"), outcome("FAILED", "refunds")),
        verification("INCONCLUSIVE", outcome("INCONCLUSIVE")),
    )
    assert [(case.get("classname"), case.get("name")) for case in suite] == [
        ("verification 1", "pays once"),
        ("verification 1", "refunds"),
        ("verification 2", "pays once"),
    ]
    counted = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "time", "timestamp")}
    assert counted == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "skipped": "0",
        "time": "3.000",
        "timestamp": "2026-06-23T12:00:00",
    }


def test_a_failure_names_the_nearest_calls() -> None:
    near = {
        "logId": "log_1",
        "request": "POST /api/pay",
        "mismatches": [{"field": "matcher.query.page", "expected": 'equals "2"', "actual": ""}],
    }
    failure = suite_of(verification("FAILED", outcome("FAILED", nearCalls=[near]))).find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "expected 1 call, and there were 2"
    assert failure.text == 'near: POST /api/pay (log_1)\n  matcher.query.page: expected equals "2", got nothing'


def test_what_is_judged_over_all_together_is_a_case_of_its_own() -> None:
    judged = verification("FAILED", outcome("FAILED"))
    judged.order, judged.others = pb.VERDICT_FAILED, pb.VERDICT_PASSED
    suite = suite_of(judged)
    assert [(case.get("name"), case.find("failure") is not None) for case in suite] == [
        ("pays once", True),
        ("in this order", True),
        ("no others", False),
    ]


def test_without_verifications_the_suite_is_empty() -> None:
    assert suite_of().get("tests") == "0"


@given(st.text(), st.text())
def test_any_text_makes_a_document_that_can_be_read(name: str, message: str) -> None:
    made = pb.Verification(verdict=pb.VERDICT_FAILED)
    made.outcomes.add(name=name, verdict=pb.VERDICT_FAILED, message=message)
    assert suite_of(made).get("tests") == "1"
