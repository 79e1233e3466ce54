"""A scripted ODK Collect: JavaRosa fills the forms, and the wire sees what the real application sends."""

from tests.helpers.phone.documents import FormSourceError
from tests.helpers.phone.engine import Engine
from tests.helpers.phone.multipart import Interrupted
from tests.helpers.phone.phone import Filled, FilledEntity, Leaf, Phone
from tests.helpers.phone.sending import Sent, Weather

__all__ = [
    "Engine",
    "Filled",
    "FilledEntity",
    "FormSourceError",
    "Interrupted",
    "Leaf",
    "Phone",
    "Sent",
    "Weather",
]
