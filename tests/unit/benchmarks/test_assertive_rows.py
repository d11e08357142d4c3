from benchmarks.answer import ask
from benchmarks.assertive_rows import BODY, PATH, answering_stub


def test_a_server_has_the_stub_that_is_asked_for_and_as_many_further_ones() -> None:
    with answering_stub(2) as loaded:
        answers = [ask(loaded.address, path, loaded.headers) for path in (PATH, "/further/1", "/further/2")]

    assert [(each.status, each.body) for each in answers[:2]] == [(200, BODY)] * 2
    assert answers[2].status == 404
