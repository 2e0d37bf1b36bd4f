"""What a call of the service can end in, as exceptions that carry the service's own words.

::

    ClientError
    ├── Unreachable           no answer came: nobody listens there, or not in time
    ├── AnswerUnreadable      an answer came that the API doesn't give: a proxy's page, or another service's
    └── Refused               the service said no, and why: ``problem``
        ├── KeyRefused        401, 403: there is no key, or it isn't valid, or it doesn't allow this
        ├── NotThere          404: no such thing, or the key may not use it
        ├── RequestRejected   400, 409, 413, 415, 422: the request's to mend
        ├── LimitReached      429: asked too often; ``retry_after_s`` says when to come back
        └── ServiceTrouble    5xx: the service's own trouble
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.errors import OriginalityError

if TYPE_CHECKING:
    from app.contract import ProblemOut


class ClientError(OriginalityError):
    """A call didn't bring what it was made for."""


class Unreachable(ClientError):
    """No answer came, also after the attempts that are allowed."""


class AnswerUnreadable(ClientError):
    """An answer came that this API doesn't give; the address is wrong, or something stands between."""


class Refused(ClientError):
    """The service answered with a fault.

    Attributes:
        problem: the fault as the service tells it (RFC 9457).
        retry_after_s: the wait that the service asks for, in seconds; None if it doesn't.
    """

    def __init__(self, problem: ProblemOut, retry_after_s: float | None = None) -> None:
        """Say what the service says."""
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem
        self.retry_after_s = retry_after_s


class KeyRefused(Refused):
    """The service wants a key that is valid and allows this."""


class NotThere(Refused):
    """There is no such thing, or the key may not use it."""


class RequestRejected(Refused):
    """The request can't be carried out as it stands; ``problem.errors`` names the fields that are wrong."""


class LimitReached(Refused):
    """More was asked than this key or address may ask for, also after the attempts that are allowed."""


class ServiceTrouble(Refused):
    """The service can't do it now, also after the attempts that are allowed."""


def kind_of(status: int) -> type[Refused]:
    """Tell which exception stands for a status."""
    named = {401: KeyRefused, 403: KeyRefused, 404: NotThere, 429: LimitReached}
    return named.get(status, ServiceTrouble if status >= 500 else RequestRejected)
