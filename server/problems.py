"""The catalogue of problems that the office can meet; codes are ODK Central's where Central has one."""

from __future__ import annotations

from collections.abc import Mapping

from forms.problems import Problem, Sentence


def unknown_setting(name: str) -> Problem:
    """500.8: no setting has this name."""
    return Problem(
        500.8,
        Sentence(es=f"No existe ningún ajuste «{name}».", en=f"There is no setting “{name}”."),
        {"setting": name},
        Sentence(es="Los ajustes están en deploy/settings.md.", en="Settings are listed in deploy/settings.md."),
    )


def bad_setting(name: str, reason: Sentence) -> Problem:
    """500.8: a setting that is unreadable, or cannot be meant."""
    return Problem(
        500.8,
        Sentence(
            es=f"El ajuste «{name}» no sirve: {reason.es}.", en=f"The setting “{name}” does not work: {reason.en}."
        ),
        {"setting": name},
        Sentence(es="Los ajustes están en deploy/settings.md.", en="Settings are listed in deploy/settings.md."),
    )


def bad_folder(where: str, reason: str) -> Problem:
    """500.8: the folder of everything that is kept cannot be made or written to."""
    return Problem(
        500.8,
        Sentence(es=f"No se puede escribir en {where}: {reason}.", en=f"Cannot write to {where}: {reason}."),
        {"setting": "data"},
        Sentence(
            es="Cambie sus permisos o indique otra carpeta con --data o TEJIDO_DATA.",
            en="Change its permissions or name another folder with --data or TEJIDO_DATA.",
        ),
    )


def cannot_listen(host: str, port: int, *, taken: bool, reason: str) -> Problem:
    """500.8: the address to listen on is another program's, or none of this machine's."""
    if taken:
        sentence = Sentence(
            es=f"El puerto {port} ya está en uso: por otro programa, o por un Tejido que sigue en marcha.",
            en=f"Port {port} is in use already: by another program, or by a Tejido that is still running.",
        )
    else:
        sentence = Sentence(
            es=f"No se puede escuchar en {host}:{port}: {reason}.", en=f"Cannot listen on {host}:{port}: {reason}."
        )
    return Problem(
        500.8,
        sentence,
        {"host": host, "port": port},
        Sentence(
            es="Elija otro con TEJIDO_PORT o TEJIDO_HOST.", en="Choose another one with TEJIDO_PORT or TEJIDO_HOST."
        ),
    )


def no_installation(where: str) -> Problem:
    """404.1: a command was given where nothing is installed."""
    return Problem(
        404.1,
        Sentence(
            es=f"No hay ninguna instalación de Tejido en {where}.", en=f"There is no Tejido installation in {where}."
        ),
        {"where": where},
        Sentence(
            es="Inicie el servidor una vez, o indique la carpeta con --data o TEJIDO_DATA.",
            en="Start the server once, or name the folder with --data or TEJIDO_DATA.",
        ),
    )


def missing_file_part() -> Problem:
    """400.7: a multipart body without the part that holds the submission."""
    return Problem(
        400.7,
        Sentence(
            es="Al envío le falta la parte xml_submission_file.",
            en="Required multipart POST field xml_submission_file missing.",
        ),
        {"field": "xml_submission_file"},
    )


def bad_multipart() -> Problem:
    """400.39: the body could not be read as multipart/form-data."""
    return Problem(
        400.39, Sentence(es="No se pudo leer el contenido del envío.", en="Multipart form content failed to parse.")
    )


def unreadable_request(status: int, reason: str) -> Problem:
    """400.1, 431.1, 501.1: what came in is no HTTP that this server takes."""
    return Problem(
        status + 0.1,
        Sentence(
            es="La petición no llegó como el servidor la entiende. Inténtelo otra vez, o con otra red.",
            en="The request did not arrive in a form that this server understands. Try again, or on another network.",
        ),
        {"reason": reason},
    )


def bad_file_name(name: str) -> Problem:
    """400.8: a file name that is no bare name."""
    return Problem(
        400.8,
        Sentence(es=f"El nombre de archivo «{name}» no se admite.", en=f"The file name “{name}” is not accepted."),
        {"field": "filename", "value": name},
    )


def too_large(what: str, limit: int) -> Problem:
    """413.1: more bytes than this server takes."""
    return Problem(
        413.1,
        Sentence(
            es=f"{what}: supera el máximo de {limit // 1_000_000} MB.",
            en=f"{what}: more than the {limit // 1_000_000} MB allowed.",
        ),
        {"limit": limit},
    )


def wrong_value(field: str, value: object, reason: Sentence) -> Problem:
    """400.8: a parameter with a value that cannot be used."""
    return Problem(
        400.8,
        Sentence(es=f"{field}: «{value}» no sirve; {reason.es}", en=f"Unexpected {field} value {value}; {reason.en}"),
        {"field": field, "value": str(value)},
    )


def authentication_failed() -> Problem:
    """401.2: a wrong e-mail or password."""
    return Problem(
        401.2,
        Sentence(
            es="El correo o la contraseña no es correcto.",
            en="Could not authenticate with the provided credentials: wrong e-mail or password.",
        ),
        way_out=Sentence(
            es="Si olvidó la contraseña, pida otra a quien administra el servidor.",
            en="If you forgot the password, ask whoever runs the server for another one.",
        ),
    )


def credentials_missing() -> Problem:
    """401.2: nobody said who is asking."""
    return Problem(
        401.2,
        Sentence(es="Falta decir quién pregunta.", en="This needs authentication, and none was given."),
        way_out=Sentence(
            es="Dé su correo y su contraseña (autenticación Basic de HTTP).",
            en="Give your e-mail and your password (HTTP Basic authentication).",
        ),
    )


def insufficient_rights() -> Problem:
    """403.1: known, but not allowed."""
    return Problem(
        403.1,
        Sentence(
            es="No tiene permiso para hacer esto.",
            en="The authentication you provided does not have rights to perform that action.",
        ),
    )


def token_not_valid() -> Problem:
    """403.1: a token that was revoked or never given; 403, because Collect shows the sentence of a 403 and not of a 401."""
    return Problem(
        403.1,
        Sentence(
            es="Este código QR ya no es válido. Pida uno nuevo a su coordinación; sus formularios siguen en el teléfono.",
            en="This QR code is no longer valid. Ask your coordinator for a new one; your forms stay on the phone.",
        ),
    )


def not_found(missing: Sentence | None = None, details: Mapping[str, object] | None = None) -> Problem:
    """404.1: there is nothing here (or nothing that this person may know of); `missing` names what was looked for."""
    return Problem(
        404.1,
        Sentence(es="No se encontró lo que buscaba.", en="Could not find the resource you were looking for."),
        details,
        missing,
    )


def no_project(project_id: int) -> Problem:
    """404.1: no such project."""
    return not_found(
        Sentence(es=f"No hay ningún proyecto {project_id}.", en=f"There is no project {project_id}."),
        {"projectId": project_id},
    )


def no_user(email: str) -> Problem:
    """404.1: nobody logs in with this address."""
    return not_found(
        Sentence(es=f"Nadie entra con el correo {email}.", en=f"Nobody logs in with the e-mail {email}."),
        {"email": email},
    )


def no_app_user(actor_id: int) -> Problem:
    """404.1: the project has no such app user that could still be shut out."""
    return not_found(
        Sentence(
            es=f"El proyecto no tiene ningún teléfono {actor_id} con acceso.",
            en=f"The project has no app user {actor_id} with access.",
        ),
        {"actorId": actor_id},
    )


def no_form(form_id: str) -> Problem:
    """404.1: no such form."""
    return not_found(
        Sentence(
            es=f"No hay ningún formulario «{form_id}» en el proyecto.",
            en=f"There is no form “{form_id}” in the project.",
        ),
        {"xmlFormId": form_id},
    )


def never_published(form_id: str) -> Problem:
    """404.1: the form has no published version."""
    return not_found(
        Sentence(es=f"El formulario «{form_id}» no está publicado.", en=f"The form “{form_id}” is not published.")
    )


def form_not_found(form_id: str) -> Problem:
    """404.1: a submission for a form that this project never had."""
    return Problem(
        404.1,
        Sentence(
            es=f"Este proyecto no tiene ningún formulario «{form_id}».", en=f"This project has no form “{form_id}”."
        ),
        {"formId": form_id},
        Sentence(
            es="Guarde el formulario en el teléfono y avise a su coordinación.",
            en="Keep the form on the phone and tell your coordinator.",
        ),
    )


def draft_gone() -> Problem:
    """404.4: the draft under test was published or replaced."""
    return Problem(
        404.4,
        Sentence(
            es="El borrador que estaba probando ya no existe o fue publicado; escanee un código nuevo.",
            en=(
                "You tried to access a draft testing endpoint, but it does not exist anymore or your access is no longer "
                "valid."
            ),
        ),
    )


def version_taken(form_id: str, version: str) -> Problem:
    """409.6: the same version string may never carry other content."""
    return Problem(
        409.6,
        Sentence(
            es=f"El formulario «{form_id}» ya tiene publicada una versión «{version}» con otro contenido.",
            en=f"A version “{version}” of form “{form_id}” is already published, with other content.",
        ),
        {"xmlFormId": form_id, "version": version},
        Sentence(
            es="Cambie «version» en la hoja settings (por ejemplo, la fecha de hoy y un número).",
            en="Change “version” on the settings sheet (today's date and a number, for instance).",
        ),
    )


def no_draft(form_id: str) -> Problem:
    """404.1: there is nothing to publish."""
    return Problem(
        404.1,
        Sentence(es=f"El formulario «{form_id}» no tiene borrador.", en=f"The form “{form_id}” has no draft."),
        {"xmlFormId": form_id},
    )


def not_unique(field: str, value: str) -> Problem:
    """409.3: the name is taken."""
    return not_unique_together({field: value})


def not_unique_together(taken: Mapping[str, object]) -> Problem:
    """409.3: something has these values of these fields already."""
    fields, values = ",".join(taken), ",".join(str(value) for value in taken.values())
    return Problem(
        409.3,
        Sentence(
            es=f"Ya existe un recurso con {fields} «{values}».",
            en=f"A resource already exists with {fields} value(s) of {values}.",
        ),
        {"fields": list(taken), "values": list(taken.values())},
    )


def password_too_short() -> Problem:
    """400.21: fewer than ten characters."""
    return Problem(
        400.21,
        Sentence(
            es="La contraseña debe tener al menos 10 caracteres.",
            en="The password or passphrase provided does not meet the required length of 10 characters.",
        ),
    )


def password_too_long() -> Problem:
    """400.38: more than 72 bytes, Central's limit."""
    return Problem(
        400.38,
        Sentence(
            es="La contraseña supera los 72 bytes.",
            en="The password or passphrase provided exceeds the maximum length of 72 bytes.",
        ),
    )


def not_storable() -> Problem:
    """400.8: a text that no database column can hold (a NUL in it, say)."""
    return Problem(
        400.8,
        Sentence(
            es="La petición contiene caracteres que no se pueden usar.",
            en="The request holds characters that cannot be used.",
        ),
    )


def unavailable(reason: str) -> Problem:
    """503.1: the database or the disk cannot keep anything now; the phone keeps its copy and tries again."""
    return Problem(
        503.1,
        Sentence(
            es="El servidor no puede guardar en este momento. Su teléfono conserva el formulario: inténtelo más tarde.",
            en="The server cannot keep anything right now. Your phone keeps the form: try again later.",
        ),
        {"reason": reason},
    )


def form_in_use(form_id: str) -> Problem:
    """503.1: a typed table of the form is held by somebody's reading, so that it cannot be changed now."""
    return Problem(
        503.1,
        Sentence(
            es=f"Las tablas de «{form_id}» están ocupadas por otra consulta o descarga; no se cambió nada.",
            en=f"The tables of “{form_id}” are held by another query or download; nothing was changed.",
        ),
        {"xmlFormId": form_id},
        Sentence(
            es="Espere a que termine la descarga, o cierre la consulta que quedó abierta en la base de datos, y repita.",
            en="Wait for the download to end, or close the query left open on the database, and try again.",
        ),
    )


def downloads_busy() -> Problem:
    """503.1: as many extracts are being made as may be made at once."""
    return Problem(
        503.1,
        Sentence(
            es="Ya se están preparando otras descargas de datos. Inténtelo de nuevo en un minuto.",
            en="Other downloads of data are being prepared already. Try again in a minute.",
        ),
    )


def internal() -> Problem:
    """500.1: what nobody foresaw; the reason is in the log, never on the wire."""
    return Problem(
        500.1,
        Sentence(
            es="Ocurrió un problema interno. Inténtelo más tarde.",
            en="An unknown internal problem has occurred. Please try again later.",
        ),
    )
