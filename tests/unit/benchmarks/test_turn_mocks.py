from benchmarks.load import TURN
from benchmarks.scenery import TURN_BODY
from benchmarks.turn_mocks import turn_batches

MOCKS = 701
OPERATIONS_MAX = 1000


def test_each_mock_is_made_published_and_switched_on_in_batches_that_the_api_takes() -> None:
    batches = list(turn_batches(MOCKS))

    assert all(len(batch.operations) <= OPERATIONS_MAX for batch in batches)
    operations = [operation for batch in batches for operation in batch.operations]
    kinds = [operation.WhichOneof("operation") for operation in operations]
    assert kinds == ["create", "publish", "activate"] * MOCKS
    made = [operation.create.mock for operation in operations[::3]]
    assert len({mock.id for mock in made}) == len({mock.matcher.path for mock in made}) == MOCKS
    assert [operation.publish.mock_id for operation in operations[1::3]] == [mock.id for mock in made]
    assert [operation.activate.mock_id for operation in operations[2::3]] == [mock.id for mock in made]


def test_answers_differ_in_their_number_and_not_in_size() -> None:
    (batch,) = turn_batches(3)

    answers = [operation.create.mock.action.respond.json.encode() for operation in batch.operations[::3]]
    assert answers == [TURN_BODY.replace(TURN.encode(), b"%05d" % number) for number in range(3)]
    assert len({len(answer) for answer in answers}) == 1
