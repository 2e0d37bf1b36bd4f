"""What is asked of every answer of the service, beside what schemathesis asks of any; named to it as its hooks."""

from __future__ import annotations

from typing import Any, TypeAlias

import schemathesis

WRONG_SHAPE = "urn:originality:problem:wrong-shape"
Case: TypeAlias = schemathesis.Case[Any]


class Broken(AssertionError):
    """The service doesn't keep to its own rules."""


@schemathesis.check
def faults_are_problems(_: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """Hold every fault to the form of RFC 9457, and an unavailable service to a time at which to come back."""
    if response.status_code < 400:
        return
    told = response.headers.get("content-type", [""])[0]
    if told != "application/problem+json":
        raise Broken(f"a fault of status {response.status_code} is sent as {told}")
    if not response.headers.get("x-request-id"):
        raise Broken("a fault names no request")
    if response.status_code in {429, 503} and not response.headers.get("retry-after"):
        raise Broken("a refusal doesn't say when to come back")
    if response.json()["type"] == WRONG_SHAPE and _is_valid(case):
        raise Broken("what the document allows is refused for its shape")


def _is_valid(case: Case) -> bool:
    """Tell whether a request was made to fit the document; others are schemathesis's own to judge."""
    return case.meta is not None and case.meta.generation.mode.is_positive and "method" not in str(case.meta.phase.data)
