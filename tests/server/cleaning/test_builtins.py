"""The built-in checks, each against a table computed by hand, on both databases."""

from __future__ import annotations

import pytest
from time_machine import TimeMachineFixture

from forms.problems import Problem
from server.actions import flags
from tests.server.cleaning.raising import found, publish, raised, rebuild, send, table
from tests.server.desk import ON_SQLITE, Desk
from tests.server.wire import Wire

NOW = "2026-05-10T12:00:00+00:00"
COLUMNS = "name | label | severity | builtin | minimum | maximum | key | place | within | since | when | fields | over"


def check(**cells: str) -> str:
    """A sheet `checks` with one row, named c; `fields_` are its fields."""
    given = {"name": "c", "label": "C", **{name.rstrip("_"): text for name, text in cells.items()}}
    return table("checks", COLUMNS, " | ".join(given.get(name.strip(), "") for name in COLUMNS.split("|")))


def survey(*rows: str) -> str:
    return table("survey", "type | name | label", *rows)


TIMES = survey("start | start |", "end | end |", "integer | edad | Edad")


def times(start: str, end: str) -> str:
    return f"<start>{start}</start><end>{end}</end>"


# the clock


def test_a_clock_more_than_a_day_off_is_flagged_in_every_form(
    desk: Desk, phone: Wire, time_machine: TimeMachineFixture
):
    time_machine.move_to(NOW, tick=False)
    publish(desk, TIMES)
    send(phone, times("2026-05-10T06:00:00.000-05:00", "2026-05-10T06:50:00.000-05:00"), "today")
    send(phone, times("2026-04-01T06:00:00.000-05:00", "2026-04-01T06:50:00.000-05:00"), "weeks-offline")
    send(phone, times("2026-05-11T06:00:00.000-05:00", "2026-05-11T06:59:59.000-05:00"), "not-yet-a-day-ahead")
    send(phone, times("2026-05-11T06:00:00.000-05:00", "2026-05-11T07:00:01.000-05:00"), "a-day-ahead")
    send(phone, times("2027-05-10T06:00:00.000-05:00", "2027-05-10T06:50:00.000-05:00"), "a-year-ahead")
    send(phone, times("2026-05-09T06:00:00.000-05:00", "2026-05-07T06:50:00.000-05:00"), "end-before-start")
    send(phone, "<edad>5</edad>", "nothing-said")
    send(phone, "<start>2026-05-12T00:00:00.000Z</start>", "only-start")

    assert found(desk, "builtin:clock") == {
        "a-day-ahead": "2026-05-11T12:00:01Z",
        "a-year-ahead": "2027-05-10T11:50:00Z",
        "end-before-start": "2026-05-07T11:50:00Z",
        "only-start": "2026-05-12T00:00:00Z",
    }
    told = {flag.row_key.removeprefix("uuid:"): flag.details for flag in desk.flags("hogar")}
    assert {name: (details["wrong"], details["hours"]) for name, details in told.items() if details} == {
        "a-day-ahead": ("ahead", 24.0),
        "a-year-ahead": ("ahead", 8759.8),
        "end-before-start": ("backwards", 47.2),
        "only-start": ("ahead", 36.0),
    }
    before = raised(desk)
    rebuild(desk)
    assert raised(desk) == before


def test_the_clock_is_judged_by_today_where_the_form_has_nothing_else(
    desk: Desk, phone: Wire, time_machine: TimeMachineFixture
):
    time_machine.move_to(NOW, tick=False)
    publish(desk, survey("today | today |", "integer | edad | Edad"))
    send(phone, "<today>2026-05-11</today>", "tomorrow-in-the-east")
    send(phone, "<today>2026-05-13</today>", "three-days-ahead")

    assert found(desk, "builtin:clock") == {"three-days-ahead": "2026-05-13"}


def test_a_row_of_the_sheet_takes_the_place_of_the_clock_that_is_on_by_itself(
    desk: Desk, phone: Wire, time_machine: TimeMachineFixture
):
    time_machine.move_to(NOW, tick=False)
    publish(desk, TIMES, checks=check(builtin="clock", maximum="2", since="2026-03-01"))
    send(phone, times("2026-05-10T08:00:00.000-05:00", "2026-05-10T09:30:00.000-05:00"), "two-hours-ahead")
    send(phone, times("2026-02-28T23:00:00.000-05:00", "2026-02-28T23:30:00.000-05:00"), "before-it-began")
    send(phone, times("2026-03-01T00:10:00.000-05:00", "2026-03-01T00:30:00.000-05:00"), "the-first-day")
    assert found(desk, "c") == {"two-hours-ahead": "2026-05-10T14:30:00Z", "before-it-began": "2026-03-01T04:00:00Z"}

    publish(desk, TIMES, checks=check(builtin="clock", severity="off"), version="2")
    assert raised(desk) == []
    send(phone, times("2030-05-10T08:00:00.000-05:00", "2030-05-10T09:30:00.000-05:00"), "off", version="2")
    assert raised(desk) == []

    publish(desk, TIMES, version="3")
    assert found(desk, "builtin:clock") == {"off": "2030-05-10T14:30:00Z"}


# duration and speeding


def log(*lines: tuple[str, str, int, int | None]) -> bytes:
    """An audit.csv: event, node, and seconds after the beginning."""
    begin = 1_778_000_000_000
    rows = [
        f"{event},{node},{begin + start * 1000},{'' if end is None else begin + end * 1000}"
        for event, node, start, end in lines
    ]
    return ("event,node,start,end\n" + "\n".join(rows) + "\n").encode()


LOGGED = survey("start | start |", "end | end |", "audit | audit |", "integer | edad | Edad", "integer | hijos | Hijos")
NAMED = "<meta><audit>audit.csv</audit></meta>"
SLOW = log(
    ("form start", "", 0, None),
    ("question", "/data/edad", 0, 400),
    ("question", "/data/hijos", 400, 800),
    ("end screen", "", 800, 810),
    ("form exit", "", 810, None),
)
FAST = log(
    ("question", "/data/edad", 0, 1), ("question", "/data/hijos", 1, 2), ("question", "/data/edad", 2, 3),
    ("end screen", "", 3, 600),
)  # fmt: skip


def logged(phone: Wire, answers: str, name: str, files: dict[str, bytes]) -> None:
    """A submission whose meta names an audit log, as Collect writes it."""
    sent = (
        f'<data id="hogar" version="1">{answers}<meta><audit>audit.csv</audit>'
        f"<instanceID>uuid:{name}</instanceID></meta></data>"
    ).encode()
    assert phone.post(sent, files).status == 201


def test_durations_are_read_from_start_and_end_where_there_is_no_log(desk: Desk, phone: Wire):
    publish(desk, TIMES, checks=check(builtin="duration", minimum="10", maximum="120"))
    for name, end in (("9-59", "10:09:59"), ("10", "10:10:00"), ("120", "12:00:00"), ("121", "12:01:00")):
        send(phone, times("2026-05-01T10:00:00.000-05:00", f"2026-05-01T{end}.000-05:00"), name)
    send(phone, times("2026-05-01T10:00:00.000-05:00", "2026-05-01T09:00:00.000-05:00"), "backwards")
    send(phone, "<start>2026-05-01T10:00:00.000-05:00</start>", "no-end")

    assert found(desk, "c") == {"9-59": "10", "121": "121"}
    assert next(flag.details for flag in desk.flags("hogar")) == {
        "kind": "duration",
        "minutes": 10.0,
        "minimum": 10.0,
        "maximum": 120.0,
        "logged": False,
    }


def test_durations_are_read_from_the_audit_log_also_where_it_comes_later(desk: Desk, phone: Wire):
    publish(desk, LOGGED, checks=check(builtin="duration", minimum="12"))
    quick = times("2026-05-01T10:00:00.000-05:00", "2026-05-01T10:05:00.000-05:00")
    long = times("2026-05-01T10:00:00.000-05:00", "2026-05-01T18:00:00.000-05:00")
    logged(phone, quick, "slow", {"audit.csv": SLOW})  # 810 seconds of open screens are 13.5 minutes
    logged(phone, long, "fast", {"audit.csv": FAST})  # 600 seconds are 10 minutes, whatever start and end say
    logged(phone, quick, "late", {})
    assert found(desk, "c") == {"fast": "10", "late": "5"}

    logged(phone, quick, "late", {"audit.csv": SLOW})
    assert found(desk, "c") == {"fast": "10"}
    logged(phone, long, "fast", {"audit.csv": SLOW})  # another content under the name
    assert found(desk, "c") == {}
    assert desk.failures() == []


def test_speeding_is_the_median_time_on_a_screen_with_questions(desk: Desk, phone: Wire):
    publish(desk, LOGGED, checks=check(builtin="speeding", minimum="3"))
    logged(phone, "<edad>1</edad>", "slow", {"audit.csv": SLOW})  # 400 and 400
    logged(phone, "<edad>1</edad>", "fast", {"audit.csv": FAST})  # 2 (in two visits) and 1
    logged(phone, "<edad>1</edad>", "no-log", {})
    logged(phone, "<edad>1</edad>", "broken", {"audit.csv": b"\xff\x00,,,\nquestion,/data/edad,x,y\n"})

    assert found(desk, "c") == {"fast": "1.5"}
    assert [flag.details for flag in desk.flags("hogar")] == [
        {"kind": "speeding", "seconds": 1.5, "minimum": 3.0, "screens": 2}
    ]
    rebuild(desk)
    assert found(desk, "c") == {"fast": "1.5"}


def test_logs_that_came_before_the_check_are_summed_up_when_it_is_declared(desk: Desk, phone: Wire):
    publish(desk, LOGGED)
    logged(phone, "<edad>1</edad>", "fast", {"audit.csv": FAST})
    assert raised(desk) == []

    publish(desk, LOGGED, checks=check(builtin="speeding", minimum="3"))

    assert found(desk, "c") == {"fast": "1.5"}


# points


POINTS = survey("text | distrito | Distrito", "text | consentimiento | C", "geopoint | gps | GPS")


def at(latitude: float, longitude: float, place: str = "d1", accuracy: float = 5) -> str:
    return f"<distrito>{place}</distrito><gps>{latitude} {longitude} 0 {accuracy}</gps>"


def test_a_missing_point_is_flagged_where_it_should_be_there(desk: Desk, phone: Wire):
    publish(desk, POINTS, checks=check(builtin="gps_missing", when="${consentimiento} = 'si'"))
    send(phone, "<consentimiento>si</consentimiento>", "missing")
    send(phone, "<consentimiento>si</consentimiento><gps>8.9 -79.5 0 5</gps>", "there")
    send(phone, "<consentimiento>no</consentimiento>", "refused")
    send(phone, "", "not-asked")

    assert raised(desk) == [("c", "missing", "/gps", None, "open")]


def test_a_point_less_precise_than_the_maximum_is_flagged(desk: Desk, phone: Wire):
    publish(desk, POINTS, checks=check(builtin="gps_imprecise", maximum="20"))
    send(phone, at(8.9, -79.5, accuracy=20), "twenty")
    send(phone, at(8.9, -79.5, accuracy=20.5), "more")
    send(phone, at(8.9, -79.5, accuracy=0), "put-on-a-map")
    send(phone, "<gps>8.9 -79.5</gps>", "unknown")
    send(phone, "<distrito>d1</distrito>", "missing")

    assert found(desk, "c") == {"more": "20.5"}


def test_a_point_outside_the_declared_area_is_flagged(desk: Desk, phone: Wire):
    publish(desk, POINTS, checks=check(builtin="gps_outside", within="7.0 -83.1 9.7 -77.1"))
    send(phone, at(7.0, -83.1), "corner")
    send(phone, at(9.71, -79.5), "north")
    send(phone, at(0.0, 0.0), "gulf-of-guinea")
    send(phone, "<distrito>d1</distrito>", "missing")

    assert found(desk, "c") == {"north": "9.71 -79.5", "gulf-of-guinea": "0 0"}


def test_a_point_far_from_the_others_of_its_place_is_flagged_once_there_are_enough(desk: Desk, phone: Wire):
    sheet = check(builtin="gps_outside", place="${distrito}", maximum="5")
    publish(desk, POINTS, checks=sheet)
    for number in range(4):
        send(phone, at(8.90 + number / 1000, -79.50), f"d1-{number}")
        send(phone, at(9.40, -82.24, "d2"), f"d2-{number}")
    send(phone, at(9.40, -82.24, "d1"), "wrong-district")  # the fifth of d1; d2 has four only
    assert raised(desk) == []  # medians are computed when everything is looked through

    publish(desk, POINTS, checks=sheet, version="2")
    assert raised(desk) == []  # no check changed
    desk.act(lambda ctx: flags.run(ctx, desk.project_id, "hogar"))
    assert found(desk, "c") == {"wrong-district": "9.4 -82.24"}
    (flag,) = desk.flags("hogar")
    assert flag.details is not None
    # the medians of d1 are 8.902 and -79.5: 0.498° north are 55.1 km, 2.74° west are 2.74 × 111.32 × cos 8.902° = 301.3
    assert (flag.details["place"], flag.details["kilometres"], flag.details["maximum"]) == ("d1", 306.3, 5.0)

    send(phone, at(9.40, -82.24, "d1"), "again", version="2")
    send(phone, at(8.94, -79.50, "d1"), "near", version="2")  # 0.038 degrees are 4.2 km
    assert set(found(desk, "c")) == {"wrong-district", "again"}


def test_a_condition_may_show_a_point(desk: Desk, phone: Wire):
    publish(desk, POINTS, checks=check(when="${distrito} = 'd1'", fields_="gps"))
    send(phone, at(8.9, -79.5), "there")
    send(phone, "<distrito>d1</distrito>", "missing")

    assert raised(desk) == [("c", "missing", "/gps", None, "open"), ("c", "there", "/gps", "8.9 -79.5", "open")]


# keys


KEYED = survey("text | cedula | Cédula", "begin repeat | m | M", "text | codigo | Código", "end repeat | |")


def test_two_records_of_one_key_are_both_flagged_and_both_close_when_one_is_mended(desk: Desk, phone: Wire):
    publish(desk, KEYED, checks=check(builtin="duplicate", key="${cedula}"))
    send(phone, "<cedula>8-1-1</cedula>", "a")
    send(phone, "<cedula> 8-1-1 </cedula>", "b")
    send(phone, "<cedula>8-1-2</cedula>", "c")
    send(phone, "", "blank")
    send(phone, "", "blank-too")
    assert found(desk, "c") == {"a": "8-1-1", "b": "8-1-1"}
    assert [flag.details for flag in desk.flags("hogar")] == [
        {"kind": "duplicate", "others": ["uuid:b"], "count": 1},
        {"kind": "duplicate", "others": ["uuid:a"], "count": 1},
    ]

    send(phone, "<cedula>8-1-2</cedula>", "b2", edits="b")  # now it is the other one's
    assert found(desk, "c") == {"b": "8-1-2", "c": "8-1-2"}
    before = raised(desk)
    rebuild(desk)
    assert raised(desk) == before

    send(phone, "<cedula>8-1-3</cedula>", "b3", edits="b2")
    assert raised(desk) == []
    assert desk.failures() == []


def test_keys_may_be_those_of_rows_and_of_one_submission(desk: Desk, phone: Wire):
    publish(desk, KEYED, checks=check(builtin="duplicate", key="${codigo}", over="m", when="${cedula} != 'x'"))
    send(phone, "<cedula>1</cedula><m><codigo>A</codigo></m><m><codigo>B</codigo></m><m><codigo>A</codigo></m>", "a")
    send(phone, "<cedula>2</cedula><m><codigo>B</codigo></m><m><codigo>C</codigo></m>", "b")
    send(phone, "<cedula>x</cedula><m><codigo>C</codigo></m>", "not-looked-at")

    assert found(desk, "c") == {"a/m[1]": "A", "a/m[2]": "B", "a/m[3]": "A", "b/m[1]": "B"}


def test_a_key_that_very_many_have_flags_each_of_them(desk: Desk, phone: Wire):
    publish(desk, KEYED, checks=check(builtin="duplicate", key="${cedula}"))
    for number in range(23):
        send(phone, "<cedula>NA</cedula>", f"{number:02}")
    assert set(found(desk, "c")) == {f"{number:02}" for number in range(23)}

    send(phone, "<cedula>8-1-1</cedula>", "e", edits="07")

    assert set(found(desk, "c")) == {f"{number:02}" for number in range(23)} - {"07"}
    before = raised(desk)
    rebuild(desk)
    assert raised(desk) == before


def test_keys_declared_later_are_looked_for_in_everything(desk: Desk, phone: Wire):
    publish(desk, KEYED)
    for name in ("a", "b"):
        send(phone, f"<cedula>{'x' * 600}{name}</cedula>", name)  # the first 500 characters count
    publish(desk, KEYED, checks=check(builtin="duplicate", key="${cedula}"))

    assert found(desk, "c") == {"a": "x" * 500, "b": "x" * 500}


# answers beside each other


LIST = table("choices", "list_name | name | label", "acuerdo | 1 | No", "acuerdo | 2 | Sí", "acuerdo | 3 | Más")
SCALE = survey(
    "begin group | escala | Escala",
    *(f"select_one acuerdo | p{number} | P{number}" for number in range(1, 5)),
    "text | otro | Otro",
    "end group | |",
)


def marks(*answers: str) -> str:
    given = "".join(f"<p{at}>{answer}</p{at}>" for at, answer in enumerate(answers, start=1) if answer)
    return f"<escala>{given}</escala>"


def test_one_answer_to_every_item_of_a_scale_is_flagged(desk: Desk, phone: Wire):
    publish(desk, SCALE, choices=LIST, checks=check(builtin="straight_lining", fields_="escala"))
    send(phone, marks("2", "2", "2", "2"), "all-alike")
    send(phone, marks("2", "2", "2", "3"), "one-other")
    send(phone, marks("2", "2", "2", ""), "one-blank")
    send(phone, marks(), "blank")

    assert raised(desk) == [("c", "all-alike", "/escala/p1", "2", "open")]


def test_fewer_answered_items_may_be_asked_for(desk: Desk, phone: Wire):
    publish(desk, SCALE, choices=LIST, checks=check(builtin="straight_lining", fields_="p1 p2 p3 p4", minimum="3"))
    send(phone, marks("", "2", "2", "2"), "three")
    send(phone, marks("2", "", "2", ""), "two")
    send(phone, marks("", "1", "2", "2"), "not-alike")

    assert found(desk, "c") == {"three": "2"}
    assert [flag.details for flag in desk.flags("hogar")] == [{"kind": "straight_lining", "answered": 3, "items": 4}]


# far outside the rest


INCOME = survey("integer | ingreso | Ingreso", "decimal | area | Área")


def test_a_value_far_outside_the_rest_is_flagged_by_median_and_deviation(desk: Desk, phone: Wire):
    publish(desk, INCOME, checks=check(builtin="outlier", fields_="ingreso", maximum="3.5"))
    for number in range(1, 22):
        send(phone, f"<ingreso>{100 + number}</ingreso>", f"{number:02}")  # 101 … 121
    send(phone, "<area>7</area>", "blank")
    send(phone, "<ingreso>140</ingreso>", "high")
    send(phone, "<ingreso>9000</ingreso>", "very-high")
    assert raised(desk) == []  # nothing to compare with yet

    desk.act(lambda ctx: flags.run(ctx, desk.project_id, "hogar"))

    # 23 values: the median is 112; away from it 0, 1×2, … 9×2, 10, 11, 28, 8888: the middle one is 6, the spread 8.8956
    assert found(desk, "c") == {"very-high": "9000"}  # 140 is 28 ÷ 8.8956 = 3.1 away
    (flag,) = desk.flags("hogar")
    assert flag.details == {"kind": "outlier", "median": 112.0, "deviations": 999.1, "maximum": 3.5}
    send(phone, "<ingreso>80</ingreso>", "low")  # 3.6
    assert found(desk, "c") == {"very-high": "9000", "low": "80"}
    before = raised(desk)
    rebuild(desk)  # with 80 among them the median is still 111.5 and the spread 8.8956
    assert raised(desk) == before


def test_nothing_is_far_outside_few_values_or_values_that_are_all_alike(desk: Desk, phone: Wire):
    publish(desk, INCOME, checks=check(builtin="outlier", fields_="ingreso area"))
    for number in range(19):
        send(phone, f"<ingreso>{100 + number}</ingreso><area>5</area>", f"{number:02}")
    desk.act(lambda ctx: flags.run(ctx, desk.project_id, "hogar"))
    send(phone, "<ingreso>9000</ingreso><area>5</area>", "high")
    assert raised(desk) == []

    desk.act(lambda ctx: flags.run(ctx, desk.project_id, "hogar"))
    assert found(desk, "c") == {"high": "9000"}  # now there are twenty


def test_where_most_values_are_one_the_mean_deviation_says_how_far_they_spread(desk: Desk, phone: Wire):
    publish(desk, INCOME, checks=check(builtin="outlier", fields_="ingreso"))
    for number in range(18):
        send(phone, "<ingreso>5</ingreso>", f"{number:02}")
    send(phone, "<ingreso>6</ingreso>", "near")
    send(phone, "<ingreso>45</ingreso>", "far")
    desk.act(lambda ctx: flags.run(ctx, desk.project_id, "hogar"))

    # the mean of 18 × 0, 1 and 40 is 2.05; the spread 2.569: 45 is 15.6 away, 6 is 0.4
    assert found(desk, "c") == {"far": "45"}


# what cannot be meant


@ON_SQLITE
@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"builtin": "gps"}, "columna builtin: «gps» no sirve aquí"),
        ({"builtin": "duration"}, "columna minimum: escriba cuántos minutos"),
        ({"builtin": "speeding"}, "columna builtin: el formulario no lleva registro de pantallas"),
        ({"builtin": "duplicate"}, "columna key: escriba lo que debe ser distinto"),
        ({"builtin": "outlier"}, "columna fields: nombre al menos una pregunta numérica"),
        ({"builtin": "outlier", "fields_": "nombre"}, "columna fields: «nombre» no es un número"),
        ({"builtin": "gps_imprecise"}, "columna fields: no hay ninguna pregunta geopoint aquí"),
        ({"builtin": "gps_missing", "fields_": "edad"}, "columna fields: «edad» no es un geopoint"),
        ({"builtin": "straight_lining", "fields_": "edad"}, "columna fields: «edad» no es select_one"),
        ({"builtin": "clock", "key": "${edad}"}, "columna key: Esta verificación no usa «key»"),
        ({"builtin": "clock", "maximum": "-1"}, "columna maximum: Escriba un número mayor que 0"),
        ({"builtin": "duration", "minimum": "9", "maximum": "3"}, "columna maximum: El máximo es menor que el mínimo"),
        ({"builtin": "gps_outside", "within": "1 2 3"}, "columna within: «1 2 3» no sirve aquí: se espera sur, oeste"),
        ({"builtin": "clock", "over": "m"}, "columna over: "),
        ({"when": "1 = 1", "minimum": "3"}, "columna minimum: Esta verificación no usa «minimum»"),
    ],
)  # fmt: skip
def test_a_built_in_that_cannot_be_meant_is_refused_with_its_cell(desk: Desk, cells: dict[str, str], said: str):
    asked = survey("integer | edad | Edad", "text | nombre | Nombre", "start | start |", "end | end |")

    with pytest.raises(Problem) as problem:
        publish(desk, asked, checks=check(**cells))

    assert f"hoja checks, fila 2, {said}" in problem.value.sentence.es
