"""What goes over the wire, whoever waits for it: calls, answers, refusals, the lines of an event stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from pydantic import BaseModel, ValidationError

from backend.api.job_schemas import JobAnswer
from backend.api.schemas import ErrorAnswer, GenerateBody
from core.errors import KhalaError
from core.job import TrackStatus

AnswerT = TypeVar("AnswerT", bound=BaseModel)

TIMEOUT = httpx.Timeout(30, read=60)
RECONNECT_SECONDS, PATIENCE_SECONDS = 1.0, 60.0
FILES = ("mp3", "wav", "json")
_ON_THE_WAY = (502, 504)
"""What proxies say while the server behind them is being started again."""


class Unreachable(KhalaError):
    """Nobody answers at the server's address, or somebody else does."""


class Refused(KhalaError):
    """The server answered with an error; ``status`` is HTTP's, ``retry_after`` the seconds it asks to wait."""

    def __init__(self, status: int, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.status, self.retry_after = status, retry_after


class RefusedForNow(Refused, Unreachable):
    """A 503: the server, or a proxy before it, will answer again by itself. Whoever waits for a job waits on."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request of the API."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """As httpx takes them."""
        query = {name: value for name, value in self.query.items() if value is not None}
        return {
            "method": self.method,
            "url": self.path,
            "json": self.body,
            "headers": self.headers,
            "params": query,
        }


def key_headers(api_key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def submission(fields: dict[str, Any], idempotency_key: str | None) -> Call:
    """A request to /generate. It carries a key of its own, so that sending it twice makes one job.

    pydantic.ValidationError for fields the API does not have.
    """
    body = GenerateBody(**fields).model_dump(mode="json", exclude_unset=True)
    return Call(method="POST", path="/generate", body=body, headers={"Idempotency-Key": idempotency_key or uuid4().hex})


def answered(answer: httpx.Response, kind: type[AnswerT]) -> AnswerT:
    """The answer's body; Refused for an error, Unreachable when another program answered."""
    check(answer)
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        raise Unreachable(f"{answer.url} is answered by another program, or another version of this one.") from error


def check(answer: httpx.Response) -> None:
    """Raise Refused for an error; the body must have been read."""
    if answer.is_success:
        return
    try:
        sentence = ErrorAnswer.model_validate_json(answer.content).error
    except ValidationError:
        sentence = f"{answer.url} answered {answer.status_code} {answer.reason_phrase}."
    if answer.status_code in _ON_THE_WAY:
        raise Unreachable(f"{answer.url}: {sentence}")
    asked = answer.headers.get("retry-after", "")
    refusal = RefusedForNow if answer.status_code == 503 else Refused
    raise refusal(answer.status_code, sentence, float(asked) if asked.isdecimal() else None)


def unreachable(base_url: str, error: Exception) -> Unreachable:
    if isinstance(error, Unreachable):
        return error
    return Unreachable(f"{base_url} does not answer ({error}). Is Khala running there? bash run_backend.sh starts it.")


def wanted_files(job: JobAnswer, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Path and name of each file there is of a job's finished tracks; a missing MP3 is left out."""
    for track in job.tracks:
        if track.status is not TrackStatus.DONE:
            continue
        for kind in kinds:
            if kind == "mp3" and not track.has_mp3:
                continue
            yield f"/job/{job.job_id}/track/{track.index}/{kind}", f"{job.job_id}-{track.index}.{kind}"


class Stream:
    """The messages of an event stream, from its lines; remembers where it was."""

    def __init__(self) -> None:
        self.last_id: str | None = None
        self._data: list[str] = []

    def headers(self) -> dict[str, str]:
        """So that a new connection goes on where the last one ended; what it broke off in is dropped."""
        self._data = []
        return {"Last-Event-ID": self.last_id} if self.last_id else {}

    def job(self, line: str) -> JobAnswer | None:
        """Take one line; the job that it completes, if it does."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            self.last_id = value
        elif name == "data":
            self._data.append(value)
        elif line == "" and self._data:
            whole, self._data = "\n".join(self._data), []
            return JobAnswer.model_validate_json(whole)
        return None
