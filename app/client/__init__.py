"""A typed client of the service, for programs that wait and for programs that don't; it needs no model and no index."""

from app.client.asynchronous import AsyncClient
from app.client.errors import (
    AnswerUnreadable,
    ClientError,
    KeyRefused,
    LimitReached,
    NotThere,
    Refused,
    RequestRejected,
    ServiceTrouble,
    Unreachable,
)
from app.client.patience import Patience
from app.client.sync import Client
from app.contract import AboutIn, CheckIn, ItemFailed, RowIn
from app.report import Report
from app.screenings.bodies import ProjectIn, WebhookIn

__all__ = [
    "AboutIn",
    "AnswerUnreadable",
    "AsyncClient",
    "CheckIn",
    "Client",
    "ClientError",
    "ItemFailed",
    "KeyRefused",
    "LimitReached",
    "NotThere",
    "Patience",
    "ProjectIn",
    "Refused",
    "Report",
    "RequestRejected",
    "RowIn",
    "ServiceTrouble",
    "Unreachable",
    "WebhookIn",
]
