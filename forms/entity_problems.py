"""What can be wrong with entities and their lists; codes are ODK Central's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from forms.problems import Finding, Problem, Sentence

_IN_SENTENCE: Final = 5
"""Faults of a file that its problem says in one sentence."""


def not_there(uuid: str, dataset: str) -> Problem:
    """404.8: an update of an entity that the list does not have."""
    return Problem(
        404.8,
        Sentence(
            f"La entidad {uuid} del envío no está en la lista «{dataset}».",
            f"The entity with UUID ({uuid}) specified in the submission does not exist in the dataset ({dataset}).",
        ),
        {"entityUuid": uuid, "datasetName": dataset},
    )


def no_version(version: str, uuid: str, dataset: str) -> Problem:
    """404.9: an update of a version that the entity never had here."""
    return Problem(
        404.9,
        Sentence(
            f"La entidad {uuid} de la lista «{dataset}» no tiene la versión {version}, de la que parte el envío.",
            f"Base version ({version}) does not exist for entity UUID ({uuid}) in dataset ({dataset}).",
        ),
        {"baseVersion": version, "entityUuid": uuid, "datasetName": dataset},
    )


def gone(uuid: str) -> Problem:
    """404.11: an update of a deleted entity."""
    return Problem(
        404.11,
        Sentence(f"La entidad {uuid} fue borrada.", f"The entity with UUID ({uuid}) has been deleted."),
        {"entityUuid": uuid},
    )


def taken(uuid: str) -> Problem:
    """409.3: a creation of an entity that there is."""
    return Problem(
        409.3,
        Sentence(
            f"Ya existe una entidad {uuid} en esta lista.",
            f"A resource already exists with uuid value(s) of {uuid}.",
        ),
        {"fields": ["uuid"], "values": [uuid]},
    )


def uses_deleted(*uuids: str) -> Problem:
    """409.19: the id belongs to an entity that was deleted."""
    listed = ", ".join(uuids)
    return Problem(
        409.19,
        Sentence(
            f"Estos identificadores son de entidades borradas y no se pueden usar: {listed}.",
            f"The following UUID(s) cannot be used because they are associated with deleted Entities: ({listed}).",
        ),
        {"entityUuids": list(uuids)},
    )


def no_dataset(name: str) -> Problem:
    """404.7: a submission speaks of an entity list that the project does not have."""
    return Problem(
        404.7,
        Sentence(
            f"La lista de entidades «{name}» del envío no existe.",
            f"The dataset ({name}) specified in the submission does not exist.",
        ),
        {"datasetName": name},
    )


def not_linkable(name: str) -> Problem:
    """400.26: a file of a form that is no data file cannot be an entity list."""
    return Problem(
        400.26,
        Sentence(
            f"Solo un archivo de datos puede ser una lista de entidades; «{name}» no lo es.",
            'Dataset can only be linked to attachments with "Data File" type.',
        ),
        {"name": name},
    )


def no_list(name: str) -> Problem:
    """404.1: the project has no entity list of this name."""
    return Problem(
        404.1,
        Sentence(f"No existe la lista de entidades «{name}».", f"There is no entity list “{name}”."),
        {"dataset": name},
    )


def no_property(name: str, dataset: str) -> Problem:
    """404.1: the list has no property of this name."""
    return Problem(
        404.1,
        Sentence(
            f"La lista «{dataset}» no tiene la propiedad «{name}».", f"The list “{dataset}” has no property “{name}”."
        ),
        {"property": name},
    )


def no_entity(uuid: str) -> Problem:
    """404.1: the list has no entity of this id."""
    return Problem(404.1, Sentence(f"No existe la entidad {uuid}.", f"There is no entity {uuid}."), {"uuid": uuid})


def withdrawn(uuid: str) -> Problem:
    """409.91: the person took back the consent; nothing more is kept of it."""
    return Problem(
        409.91,
        Sentence(
            f"La persona de la entidad {uuid} retiró su consentimiento: ya no se le da seguimiento.",
            f"The person of entity {uuid} took back the consent and is followed up no more.",
        ),
        {"entityUuid": uuid},
    )


def merged_into(uuid: str, survivor: str) -> Problem:
    """404.1: the entity of this id turned out to be another one, which stands for it."""
    return Problem(
        404.1,
        Sentence(
            f"La entidad {uuid} se fusionó con la entidad {survivor}.",
            f"The entity {uuid} was merged into the entity {survivor}.",
        ),
        {"uuid": uuid, "mergedInto": survivor},
    )


def not_mergeable(reason: Sentence) -> Problem:
    """409.90: two entities that cannot be merged, or a merge that cannot be undone."""
    return Problem(409.90, reason)


def invalid(reason: Sentence) -> Problem:
    """400.28: an entity that somebody writes cannot stand so."""
    return Problem(
        400.28,
        Sentence(f"La entidad no es válida. {reason.es}", f"The entity is invalid. {reason.en}"),
        {"reason": reason.en},
    )


def no_conflict() -> Problem:
    """400.32: nothing to resolve."""
    return Problem(400.32, Sentence("La entidad no tiene ningún conflicto.", "The Entity doesn't have any conflict"))


def version_conflict(current: str, provided: str | None) -> Problem:
    """409.15: the entity has another version by now."""
    return Problem(
        409.15,
        Sentence(
            f"La versión actual de la entidad es «{current}» y la suya es «{provided}».",
            f"Current version of the Entity is '{current}' and you provided '{provided}'. Please correct the version number "
            "or pass '?force=true' in the URL to forcefully update the Entity.",
        ),
        {"current": current, "provided": provided},
        Sentence("Vuelva a leerla, o use force=true.", "Read it again, or use force=true."),
    )


def pending_submissions(count: int) -> Problem:
    """400.29: submissions wait for approval, and nobody said what becomes of them."""
    return Problem(
        400.29,
        Sentence(f"Hay {count} envíos pendientes de aprobación.", f"There are {count} pending submissions"),
        {"count": count},
        Sentence(
            "Use convert=true para crear ya sus entidades, o convert=false para dejarlos como están.",
            "Use convert=true to create their entities now, or convert=false to leave them as they are.",
        ),
    )


def list_in_use(uses: Mapping[str, Sequence[Mapping[str, str]]]) -> Problem:
    """409.21: forms write to the list or read it; `uses` says how (`sourceForms`, …) and which."""
    listed = ", ".join(sorted({form["xmlFormId"] for found in uses.values() for form in found}))
    return Problem(
        409.21,
        Sentence(
            f"No se puede borrar la lista: la usan los formularios {listed}.",
            f"You can't delete this dataset because there are Form(s) dependent on it: {listed}",
        ),
        dict(uses),
        Sentence(
            "Quite la lista de esos formularios, o bórrelos, y repita.",
            "Take the list out of these forms, or delete them, and try again.",
        ),
    )


def property_in_use(name: str, prerequisites: Mapping[str, Mapping[str, object]]) -> Problem:
    """409.22: forms write to the property, entities have values of it, or an access filter asks for it."""
    return Problem(
        409.22,
        Sentence(
            f"No se puede borrar la propiedad «{name}»: todavía se usa.",
            f'Prerequisites for deleting the property "{name}" are not met.',
        ),
        {"propertyName": name, "prerequisites": dict(prerequisites)},
    )


def dataset_name_conflict(current: str, provided: str) -> Problem:
    """409.16: two lists whose names differ in capitals alone are one to a phone."""
    return Problem(
        409.16,
        Sentence(
            f"Ya existe la lista «{current}», y «{provided}» solo cambia en las mayúsculas.",
            f"A dataset named '{current}' exists and you provided '{provided}' with the same name but different "
            "capitalization.",
        ),
        {"current": current, "provided": provided},
        Sentence(f"Escriba «{current}».", f"Write “{current}”."),
    )


def property_name_conflict(pairs: Sequence[tuple[str, str]]) -> Problem:
    """409.17: properties whose names differ in capitals alone from others of the list; pairs are (there, provided)."""
    listed = ", ".join(f"{provided} ({current})" for current, provided in pairs)
    return Problem(
        409.17,
        Sentence(
            f"Estas propiedades solo cambian en las mayúsculas de otras de la lista: {listed}.",
            "This form attempts to create new Entity properties that match with existing ones except for "
            f"capitalization: {listed}.",
        ),
        {"duplicateProperties": [{"current": current, "provided": provided} for current, provided in pairs]},
        Sentence("Escríbalas como ya están en la lista.", "Write them as they stand in the list."),
    )


def file_refused(findings: Sequence[Finding]) -> Problem:
    """400.52: a file of entities is refused as a whole; `details["findings"]` says each fault by row and column."""
    es = " · ".join(finding.say("es") for finding in findings[:_IN_SENTENCE])
    en = " · ".join(finding.say("en") for finding in findings[:_IN_SENTENCE])
    more = len(findings) - _IN_SENTENCE
    return Problem(
        400.52,
        Sentence(
            f"No se añadió nada: {es}" + (f" · y {more} más." if more > 0 else ""),
            f"Nothing was added: {en}" + (f" · and {more} more." if more > 0 else ""),
        ),
        {"findings": [finding.to_dict() for finding in findings], "count": len(findings)},
    )


def told(problem: Problem) -> dict[str, Any]:
    """A problem as receipts keep it."""
    return {
        "code": problem.code,
        "es": problem.sentence.es,
        "en": problem.sentence.en,
        "details": dict(problem.details),
    }
