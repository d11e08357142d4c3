"""What stands on record directly before an exchange, where anything may be missing."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from support.calls_on_record import recorded_call
from support.plain_journal import PlainJournal
from understudy_server.app.record_reading import number_before


@given(st.integers(1, 60), st.data())
def test_what_is_directly_before_an_exchange_is_found_whatever_is_missing(number: int, data: st.DataObject) -> None:
    journal, made = PlainJournal(), [recorded_call(each + 1) for each in range(number)]
    for each in made:
        journal.record(each)
    lost = data.draw(st.sets(st.integers(1, number)))
    journal.lose(made[0].stream, *lost)
    found = asyncio.run(number_before(journal, made[-1]))
    assert found == max(set(range(number)) - lost)
