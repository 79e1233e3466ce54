"""Audit logs as Collect writes them, and as a phone leaves them that died meanwhile."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forms.audit_log import Event, Timing, read, timing

LOG = b"""event,node,start,end
form start,,1488761807863,
question,/data/a,1488761807868,1488761809868
question,/data/b,1488761809868,1488761810868
form exit,,1488761811000,
"""


def test_a_log_is_read_with_its_moments_and_intervals():
    assert read(LOG) == (
        Event("form start", "", 1488761807863, None),
        Event("question", "/data/a", 1488761807868, 1488761809868),
        Event("question", "/data/b", 1488761809868, 1488761810868),
        Event("form exit", "", 1488761811000, None),
    )
    assert timing(read(LOG)) == Timing(seconds=3.0, screens=2, median_seconds=1.5)


def test_columns_stand_in_any_order_and_lines_may_be_shorter_or_hold_answers_of_several_lines():
    log = (
        "\ufeffnode,event,end,start,old-value,new-value\n"
        '/data/a,question,3000,1000,"dijo ""no"",\nluego sí",x\n'
        "/data/b,question,4500,3000\n"
    )
    assert read(log.encode()) == (Event("question", "/data/a", 1000, 3000), Event("question", "/data/b", 3000, 4500))


def test_a_header_may_come_again_with_more_columns():
    log = b"event,node,start,end\nquestion,/data/a,1000,2000\nevent,node,start,end,latitude\nquestion,/data/b,2000,4000,8.9\n"
    assert timing(read(log)) == Timing(seconds=3.0, screens=2, median_seconds=1.5)


def test_a_screen_of_several_questions_counts_once_with_or_without_its_questions():
    alone = b"event,node,start,end\ngroup questions,/data/g,0,6000\nquestion,/data/a,6000,8000\n"
    told = alone + b"question,/data/g/x,0,6000\nquestion,/data/g/y,0,6000\n"
    assert timing(read(alone)) == timing(read(told)) == Timing(seconds=8.0, screens=2, median_seconds=4.0)


def test_visits_of_one_question_add_up_and_overlapping_intervals_count_once():
    log = b"event,node,start,end\nquestion,/data/a,0,1000\nquestion,/data/a,5000,8000\njump,,7000,9000\n"
    assert timing(read(log)) == Timing(seconds=5.0, screens=1, median_seconds=4.0)


def test_a_clock_that_was_set_back_and_lines_without_sense_are_left_out():
    log = b"event,node,start,end\nquestion,/data/a,9000,1000\nquestion,/data/b,x,y\n,,,\nquestion\nquestion,/data/c,0,500\n"
    assert timing(read(log)) == Timing(seconds=0.5, screens=1, median_seconds=0.5)
    assert (
        timing(read(b""))
        == timing(read(b"event,node,start,end\n"))
        == Timing(seconds=None, screens=0, median_seconds=None)
    )


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode) | st.just(LOG))
def test_nothing_that_is_called_a_log_fails(data: bytes):
    for log in (data, LOG + data, data + LOG, LOG[: len(data)]):
        found = timing(read(log))
        assert found.seconds is None or found.seconds >= 0
        assert (found.median_seconds is None) == (found.screens == 0)


moments = st.integers(0, 100)


@given(st.lists(st.tuples(moments, moments)))
def test_the_open_time_is_that_of_the_seconds_which_some_interval_holds(intervals: list[tuple[int, int]]):
    events = [Event("question", "/data/a", begin * 1000, end * 1000) for begin, end in intervals]
    held = {second for begin, end in intervals for second in range(begin, end)}

    found = timing(events).seconds

    assert (found or 0) == len(held)
