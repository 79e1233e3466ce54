"""XForms written by hand for tests: the part a test is about, in the smallest whole form around it."""

from __future__ import annotations

_NAMESPACES = (
    'xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"'
    ' xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms"'
    ' xmlns:odk="http://www.opendatakit.org/xforms" xmlns:entities="http://www.opendatakit.org/xforms/entities"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
)


def xform(answers: str, *, model: str = "", body: str = "", root: str = 'data id="f" version="1"') -> bytes:
    """A form whose primary instance holds `answers`; `model` follows it (binds, itext, lists), `body` asks."""
    name = root.split()[0]
    return (
        f"<h:html {_NAMESPACES}><h:head><h:title>Formulario</h:title><model>"
        f"<instance><{root}>{answers}</{name}></instance>{model}"
        f"</model></h:head><h:body>{body}</h:body></h:html>"
    ).encode()
