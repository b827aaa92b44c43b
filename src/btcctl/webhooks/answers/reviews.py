"""Answers what an API server asks: AdmissionReviews and ConversionReviews, from bytes to bytes. Knows no sockets.

A hook is foreign code. Whatever it raises but `Refused` is the failure of that one question: it is answered 500, and
the hook's failure policy decides. What it raised is logged, and not answered: it may say more than who asks may know.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import Context
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from btcctl import codecs
from btcctl.clock import Clock
from btcctl.deadline import limited_to
from btcctl.errors import BtcctlError, DeadlineExceeded, Refused, describe_error
from btcctl.logging import bind, get_logger
from btcctl.webhooks.answers.admitting import ADMISSION, AdmissionReview, Answered, admit
from btcctl.webhooks.answers.conversion import Conversions
from btcctl.webhooks.hooks import AdmissionHook, Converter, Hook, Mutator

logger = get_logger(__name__)

CONVERT_PATH = "/convert"
_CONVERSION = "apiextensions.k8s.io/v1"
_FAILED = "the hook failed; the log of the operator says why"


class Reply(NamedTuple):
    """What is sent back: JSON, or a line of text if it is no answer."""

    status: HTTPStatus
    body: bytes


class _ConversionRequest(msgspec.Struct, rename="camel"):
    uid: str
    desired_api_version: str = msgspec.field(name="desiredAPIVersion")
    objects: list[msgspec.Raw] = []


class _ConversionReview(msgspec.Struct, rename="camel"):
    api_version: str
    request: _ConversionRequest


class _NoAnswer(Exception):
    """The question is none, or there is nobody to answer it."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


def path_of(hook: AdmissionHook[Any]) -> str:
    """Where a hook is asked."""
    return f"/{'mutate' if isinstance(hook, Mutator) else 'validate'}/{hook.name}"


class Reviews:
    """All hooks of an operator. Thread-safe.

    Args:
        clock: What the time for an answer is measured with.

    Raises:
        ValueError: A conversion is not possible: see `Conversions`.
    """

    def __init__(self, hooks: Iterable[Hook], clock: Clock) -> None:
        given = [*hooks]
        self._clock = clock
        self._hooks = {path_of(each): each for each in given if isinstance(each, AdmissionHook)}
        self.conversions = Conversions(each for each in given if isinstance(each, Converter))

    def paths(self) -> list[str]:
        """All at which something is answered."""
        return [*self._hooks, *([CONVERT_PATH] if self.conversions.kinds else [])]

    def handle(self, path: str, body: bytes, seconds: float) -> Reply:
        """Answer one question. Never raises.

        Args:
            seconds: For how long whoever asks will wait.
        """
        # A context of its own: what is bound to log lines, a deadline, or what a reconcile in this thread records as
        # its own writes, is not the hook's.
        return Context().run(self._handle, path, body, seconds)

    def _handle(self, path: str, body: bytes, seconds: float) -> Reply:
        bind(webhook=path)
        try:
            with limited_to(seconds, self._clock):
                return Reply(HTTPStatus.OK, codecs.encode(self._answer(path, body)))
        except _NoAnswer as error:
            return Reply(error.status, f"{error}\n".encode())
        except DeadlineExceeded as error:
            logger.warning("a hook was too slow", error=describe_error(error))
            return Reply(HTTPStatus.GATEWAY_TIMEOUT, f"no answer within {seconds:g} s\n".encode())
        except BaseException as error:  # of the hook: its failure, and not the end of this thread
            logger.exception("a hook failed", error=describe_error(error))
            return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, f"{_FAILED}\n".encode())

    def _answer(self, path: str, body: bytes) -> Answered:
        if path == CONVERT_PATH and self.conversions.kinds:
            return self._convert(_question(body, _ConversionReview, _CONVERSION).request)
        hook = self._hooks.get(path)
        if hook is None:
            raise _NoAnswer(HTTPStatus.NOT_FOUND, "no such hook")
        return admit(hook, _question(body, AdmissionReview, ADMISSION).request)

    def _convert(self, request: _ConversionRequest) -> Answered:
        answer: Answered = {"uid": request.uid}
        try:
            made = [self.conversions.convert(bytes(each), request.desired_api_version) for each in request.objects]
            answer |= {"convertedObjects": made, "result": {"status": "Success"}}
        except DeadlineExceeded:
            raise
        except Refused as refused:
            logger.info("not converted", to=request.desired_api_version, why=str(refused))
            answer |= {"convertedObjects": [], "result": {"status": "Failure", "message": str(refused)}}
        except BaseException as error:  # of the converter, likewise
            logger.exception("a conversion failed", to=request.desired_api_version, error=describe_error(error))
            why = str(error) if isinstance(error, BtcctlError) else _FAILED
            answer |= {"convertedObjects": [], "result": {"status": "Failure", "message": why}}
        return {"apiVersion": _CONVERSION, "kind": "ConversionReview", "response": answer}


def _question(body: bytes, type_: type[Any], api_version: str) -> Any:
    try:
        review = codecs.decode(body, type_)
    except codecs.DECODE_ERRORS:
        raise _NoAnswer(HTTPStatus.BAD_REQUEST, "that is no review") from None
    if review.api_version != api_version:
        raise _NoAnswer(HTTPStatus.BAD_REQUEST, f"ask in {api_version}")
    return review
