"""What an arriving instance is, given what is held already: a table of cases."""

from __future__ import annotations

import pytest

from forms import instance
from forms.problems import Problem
from forms.receipt import Held, MoreAttachments, NewSubmission, NewVersion, Receipt, decide

FIRST = instance.read(b'<data id="f"><meta><instanceID>uuid:1</instanceID></meta></data>')
EDIT = instance.read(
    b'<data id="f"><meta><instanceID>uuid:2</instanceID><deprecatedID>uuid:1</deprecatedID></meta></data>'
)


def held(submission_id: int, fingerprint: str = "other") -> Held:
    return Held(submission_id=submission_id, version_id=submission_id * 10, fingerprint=fingerprint)


SAME_FIRST, SAME_EDIT = held(1, FIRST.fingerprint), held(1, EDIT.fingerprint)


@pytest.mark.parametrize(
    ("arriving", "same", "neighbours", "receipt"),
    [
        (FIRST, None, [], NewSubmission(awaits=None)),
        (EDIT, None, [], NewSubmission(awaits="uuid:1")),
        (EDIT, None, [held(1)], NewVersion(1, ())),
        (FIRST, None, [held(3)], NewVersion(3, ())),
        (EDIT, None, [held(5), held(2), held(5)], NewVersion(2, (5,))),
        (FIRST, SAME_FIRST, [], MoreAttachments(SAME_FIRST)),
        (EDIT, SAME_EDIT, [held(1), held(2)], MoreAttachments(SAME_EDIT)),
    ],
)
def test_an_instance_is_new_a_version_or_more_files(
    arriving: instance.Instance, same: Held | None, neighbours: list[Held], receipt: Receipt
):
    assert decide(arriving, same=same, neighbours=neighbours) == receipt


@pytest.mark.parametrize("neighbours", [[], [held(1)]])
def test_other_content_under_the_same_id_is_refused(neighbours: list[Held]):
    with pytest.raises(Problem) as refused:
        decide(FIRST, same=held(1), neighbours=neighbours)

    assert (refused.value.code, refused.value.details["instanceID"]) == (409.1, "uuid:1")
