"""A form as villages are asked: groups, selections in two languages, places on earth, members and their visits."""

from __future__ import annotations

from tests.server.desk import form

SURVEY = """
| | type | name | label::Español (es) | label::English (en) |
| | start | start | | |
| | today | today | | |
| | begin group | casa | Casa | House |
| | text | nombre | ¿Cómo se llama? | What is its name? |
| | integer | cuartos | Cuartos | Rooms |
| | decimal | agua | Agua (m³) | Water (m³) |
| | select_one pueblo | pueblo | Pueblo | People |
| | select_multiple bienes | bienes | ¿Qué bienes tiene? | Which goods? |
| | geopoint | gps | Ubicación | Location |
| | end group | | | |
| | date | dia | Día | Day |
| | time | hora | Hora | Time |
| | dateTime | momento | Momento | Moment |
| | geotrace | camino | Camino | Way |
| | image | foto | Foto | Photograph |
| | begin repeat | persona | Personas | Persons |
| | text | nombre | Nombre | Name |
| | integer | edad | Edad | Age |
| | begin repeat | visita | Visitas | Visits |
| | date | dia | Día | Day |
| | end repeat | | | |
| | end repeat | | | |
| | begin repeat | animal | Animales | Animals |
| | text | especie | Especie | Species |
| | end repeat | | | |
"""
CHOICES = """
| | list_name | name | label::Español (es) | label::English (en) |
| | pueblo | nurum | Ñürüm | Ñürüm |
| | pueblo | naso | Naso Tjër Di | Naso Tjër Di (Naso) |
| | pueblo | otro | Otro | Other |
| | bienes | radio | Radio | Radio |
| | bienes | bote | Bote | Boat |
| | bienes | 3 | Tres vacas | Three cows |
"""
VILLAGE = form("aldea", SURVEY, choices=CHOICES, default_language="Español (es)")
FULL = (
    "<start>2026-08-15T10:00:00.000-05:00</start><today>2026-08-15</today>"
    "<casa><nombre>Ñürüm «del río»</nombre><cuartos>3</cuartos><agua>2.5</agua><pueblo>naso</pueblo>"
    "<bienes>bote 3</bienes><gps>8.5 -81.25 120.0 4.5</gps></casa>"
    "<dia>2026-08-15</dia><hora>17:37:00.000-05:00</hora><momento>2026-08-15T23:30:00.125-05:00</momento>"
    "<camino>8.5 -81.25 0 0; 8.6 -81.3 0 0</camino><foto>a.jpg</foto>"
    "<persona><nombre>Ana</nombre><edad>41</edad><visita><dia>2026-01-01</dia></visita>"
    "<visita><dia>2026-01-02</dia></visita></persona><persona><nombre>Beto</nombre></persona>"
    "<animal><especie>vaca</especie></animal>"
)
FEW = "<casa><nombre>Sola</nombre><bienes/></casa>"
"""A village that answered almost nothing."""
