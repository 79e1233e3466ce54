"""XForm: any form's XML read into a Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from lxml import etree

from forms import attachments, binds, body, choices, entities, itext, xml
from forms.instance import MAX_ID
from forms.problems import Problem, Sentence, form_not_valid
from forms.schema import ChoiceSource, Control, Field, Kind, Media, Schema, SubmissionSettings, Type
from forms.xml import local_name

MAX_DEPTH: Final = 50
"""Groups and repeats inside one another; deeper forms are refused."""

_Found = TypeVar("_Found")

_MEDIA: Final[dict[str, Media]] = {"image": "image", "audio": "audio", "video": "video"}


def read(data: bytes) -> Schema:
    """The Schema of the XForm `data`, whoever made it.

    Every element of the primary instance becomes one Field, also without bind or control, for its values arrive in
    submissions: elements inside it make it a group, a <repeat> (or a jr:template) a repeat, all else is a question. Paths
    are made of local names. Labels keep an <output value="/data/name"/> as `{/data/name}`; guidance hints and
    <setvalue> are not read. Source: ODK XForms specification, sections "Primary instance", "Bindings", "Body", "Languages".

    Raises Problem 400.1 for what a phone could not open: no html, title, model, primary instance or id, or a control on an
    element or bind that does not exist (a bind on a missing element is no error, there as here). Raises it as well for
    what a phone opens and whose answers could not be told apart or filed: one name twice among siblings that are no repeat,
    an id or version longer than a submission may send back, groups deeper than MAX_DEPTH.
    """
    root = xml.parse(data)
    head, model = _head_of(root)
    title = _title_of(head)
    primary = _primary_of(model)
    form_id = _identity(primary)
    root_path = f"/{local_name(primary)}"

    texts = itext.read(model)
    bound = binds.read(model, root_path)
    shown = _child(root, "body")
    controls = body.read(shown, root_path, bound.nodesets) if shown is not None else body.Body()

    form = _Form(texts, bound, controls)
    tree = _Node(name=root_path[1:], path=root_path)
    form.merge(tree, primary, depth=0)
    form.check_targets(root_path)
    form.settle(tree)
    fields = tuple(form.fields(tree, len(root_path)))
    sources = [entry.choices for entry in fields if entry.choices is not None]
    instances = choices.instances_of(model.iterchildren("{*}instance"), sources, texts)
    return Schema(
        form_id=form_id,
        version=_attribute(primary, "version") or "",
        title=title,
        root=root_path[1:],
        fields=fields,
        languages=texts.languages,
        default_language=texts.default_language,
        instances=instances,
        attachments=attachments.expected(root=root, instances=instances, media=texts.media, defaults=form.defaults),
        submission=_submission(model),
        entities_version=(_attribute(model, "entities-version") or "").strip() or None,
        entities=entities.declared(primary, fields),
    )


# --------------------------------------------------------------------------- the skeleton of the document


def _head_of(root: etree._Element) -> tuple[etree._Element, etree._Element]:
    if local_name(root) != "html":
        raise _refused(
            f"El archivo no es un XForm: empieza con <{local_name(root)}> y no con <h:html>.",
            f"The file is not an XForm: it begins with <{local_name(root)}> instead of <h:html>.",
        )
    head = _child(root, "head")
    if head is None:
        raise _refused("Al XForm le falta <h:head>.", "The XForm has no <h:head>.")
    model = _child(head, "model")
    if model is None:
        raise _refused("Al XForm le falta <model>.", "The XForm has no <model>.")
    return head, model


def _title_of(head: etree._Element) -> str:
    title = _child(head, "title")
    text = itext.text_of(title) if title is not None else ""
    if not text:
        raise _refused(
            "El formulario no tiene título (<h:title>); sin título, ODK Collect no lo abre.",
            "The form has no title (<h:title>); ODK Collect does not open a form without one.",
        )
    return text


def _primary_of(model: etree._Element) -> etree._Element:
    for instance in model.iterchildren("{*}instance"):
        if instance.get("src") is None and len(instance):
            return instance[0]
    raise _refused(
        "Al XForm le falta la instancia primaria (<instance> con las preguntas).",
        "The XForm has no primary instance (an <instance> that holds the questions).",
    )


def _identity(primary: etree._Element) -> str:
    form_id = (_attribute(primary, "id") or "").strip()
    if not form_id:
        raise _refused(
            f"El elemento <{local_name(primary)}> de la instancia primaria no tiene el atributo id (form_id).",
            f"The element <{local_name(primary)}> of the primary instance has no id attribute (form_id).",
        )
    for name, value in (("id", form_id), ("version", _attribute(primary, "version") or "")):
        if len(value) > MAX_ID:
            raise _refused(
                f"El atributo {name} del formulario tiene más de {MAX_ID} caracteres.",
                f"The form's attribute {name} is longer than {MAX_ID} characters.",
            )
    return form_id


def _submission(model: etree._Element) -> SubmissionSettings:
    element = _child(model, "submission")
    if element is None:
        return SubmissionSettings()

    def get(name: str) -> str | None:
        return (_attribute(element, name) or "").strip() or None

    return SubmissionSettings(
        action=get("action"),
        public_key=get("base64RsaPublicKey"),
        auto_send=get("auto-send"),
        auto_delete=get("auto-delete"),
        client_editable=get("client-editable") == "true",
    )


def _child(element: etree._Element, name: str) -> etree._Element | None:
    return next(element.iterchildren(f"{{*}}{name}"), None)


def _attribute(element: etree._Element, name: str) -> str | None:
    """The attribute `name`, in no namespace or else in any."""
    plain = element.get(name)
    if plain is not None:
        return plain
    return next((str(value) for key, value in element.attrib.items() if str(key).endswith(f"}}{name}")), None)


def _refused(es: str, en: str) -> Problem:
    return form_not_valid(Sentence(es=es, en=en))


# --------------------------------------------------------------------------- the fields


@dataclass(slots=True, kw_only=True)
class _Node:
    """One element of the primary instance; the templates and first rows of a repeat are one node."""

    name: str
    path: str
    kind: Kind = "question"
    children: dict[str, _Node] = field(default_factory=dict)


class _Form:
    """What a form says of its elements, and its elements as a tree."""

    def __init__(self, texts: itext.Itext, bound: binds.Binds, controls: body.Body) -> None:
        self.defaults: list[str] = []
        self._texts = texts
        self._binds = bound
        self._controls = controls
        self._paths: set[str] = set()

    def merge(self, node: _Node, element: etree._Element, depth: int) -> None:
        """Add what stands in `element` to `node`; raise where a name comes twice and is no repeat."""
        self._paths.add(node.path)
        if depth > MAX_DEPTH:
            raise _refused(
                f"El formulario tiene más de {MAX_DEPTH} grupos uno dentro de otro.",
                f"The form has more than {MAX_DEPTH} groups inside one another.",
            )
        if not len(element):
            text = (element.text or "").strip()
            if text.startswith("jr://"):
                self.defaults.append(text)
            return
        seen: dict[str, etree._Element] = {}
        for child in element:
            name = local_name(child)
            inner = node.children.get(name)
            if inner is None:
                inner = node.children[name] = _Node(name=name, path=f"{node.path}/{name}")
            if inner.path in self._controls.repeats or _attribute(child, "template") is not None:
                inner.kind = "repeat"
            elif inner.kind != "repeat" and name in seen and not _halves(seen[name], child):
                raise _refused(
                    f"El nombre “{name}” está dos veces dentro de {node.path} y no es una repetición.",
                    f"The name “{name}” stands twice in {node.path} and is not a repeat.",
                )
            seen[name] = child
            self.merge(inner, child, depth + 1)

    def check_targets(self, root_path: str) -> None:
        """Raise where a control asks for an element that does not exist; a phone refuses such a form."""
        for targets in (self._controls.questions, self._controls.groups, self._controls.repeats):
            for path in targets:
                if path not in self._paths:
                    raise _refused(
                        f"El cuerpo del formulario pregunta por {path}, que no existe en la instancia primaria.",
                        f"The body of the form asks for {path}, which does not exist in the primary instance.",
                    )
        if root_path in self._controls.repeats:
            raise _refused(
                f"El elemento raíz {root_path} no puede ser una repetición.",
                f"The root element {root_path} cannot be a repeat.",
            )

    def settle(self, node: _Node) -> None:
        """Say which nodes are groups: those with children, those that the body groups by, and entity blocks."""
        for child in node.children.values():
            empty_entity = child.name == "entity" and node.name == "meta"
            if child.kind != "repeat" and (child.children or child.path in self._controls.groups or empty_entity):
                child.kind = "group"
            self.settle(child)

    def fields(self, node: _Node, cut: int) -> Iterator[Field]:
        """The fields below `node`, depth first; `cut` characters of every path are the root element."""
        for child in node.children.values():
            yield self._question(child, cut) if child.kind == "question" else self._section(child, cut)
            yield from self.fields(child, cut)

    def _section(self, node: _Node, cut: int) -> Field:
        bind = self._binds.by_path.get(node.path, {})
        repeat = self._controls.repeats.get(node.path)
        group = repeat.group if repeat else self._controls.groups.get(node.path)
        elements = [element for element in (repeat.element if repeat else None, group) if element is not None]
        return Field(
            path=node.path[cut:],
            name=node.name,
            kind=node.kind,
            label=_first(elements, lambda element: self._texts.shown(_child(element, "label"))) or {},
            hint=_first(elements, lambda element: self._texts.shown(_child(element, "hint"))) or {},
            appearance=_first(elements, _appearance),
            required=binds.expression(bind, "required"),
            readonly=binds.expression(bind, "readonly"),
            relevant=binds.expression(bind, "relevant"),
            repeat_count=_first(elements[:1], lambda element: (_attribute(element, "count") or "").strip() or None)
            if repeat
            else None,
        )

    def _question(self, node: _Node, cut: int) -> Field:
        bind = self._binds.by_path.get(node.path, {})
        element = self._controls.questions.get(node.path)
        control = body.CONTROLS[local_name(element)] if element is not None else None
        type_ = self._type(node, bind, control)
        source: ChoiceSource | None = None
        label = hint = None
        if element is not None:
            label, hint = _child(element, "label"), _child(element, "hint")
            if control in ("select1", "select", "rank"):
                source = choices.source_of(element, self._texts)
        return Field(
            path=node.path[cut:],
            name=node.name,
            kind="question",
            type=type_,
            control=control,
            media=self._media(node, element) if type_ == "binary" else None,
            choices=source,
            label=self._texts.shown(label),
            hint=self._texts.shown(hint),
            appearance=_appearance(element) if element is not None else None,
            required=binds.expression(bind, "required"),
            readonly=binds.expression(bind, "readonly"),
            relevant=binds.expression(bind, "relevant"),
            constraint=binds.expression(bind, "constraint"),
            constraint_message=self._texts.written(bind.get("constraintMsg")),
            calculate=binds.expression(bind, "calculate"),
            preload=binds.preload_of(bind),
            save_to=bind.get("saveto", "").strip() or None,
            required_message=self._texts.written(bind.get("requiredMsg")),
        )

    def _type(self, node: _Node, bind: binds.Bind, control: Control | None) -> Type:
        if control in ("select", "rank", "trigger"):
            return "string"  # several codes in one text, or OK
        if control == "upload" or node.path in self._binds.recordings or _is_audit(node):
            return "binary"
        return binds.type_of(bind)

    def _media(self, node: _Node, element: etree._Element | None) -> Media:
        if node.path in self._binds.recordings:
            return "audio"
        if element is None:
            return "file"
        return _MEDIA.get((element.get("mediatype") or "").strip().partition("/")[0], "file")


def _halves(first: etree._Element, second: etree._Element) -> bool:
    """Whether two groups of one local name stand in different namespaces, as `meta` and `orx:meta` do: one group."""
    return bool(len(first) and len(second) and first.tag != second.tag)


def _is_audit(node: _Node) -> bool:
    steps = node.path.split("/")
    return len(steps) == 4 and steps[2:] == ["meta", "audit"]


def _appearance(element: etree._Element) -> str | None:
    return (element.get("appearance") or "").strip() or None


def _first(elements: list[etree._Element], get: Callable[[etree._Element], _Found | None]) -> _Found | None:
    return next((value for value in map(get, elements) if value), None)
