"""The client that blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from backend.api.job_schemas import JobAnswer, JobsAnswer
from backend.api.schemas import ConfigAnswer, GenerateAnswer, StatusAnswer
from backend.client.wire import (
    FILES,
    PATIENCE_SECONDS,
    RECONNECT_SECONDS,
    TIMEOUT,
    AnswerT,
    Call,
    Stream,
    Unreachable,
    answered,
    check,
    key_headers,
    submission,
    unreachable,
    wanted_files,
)


class Khala:
    """One server. Every method raises Refused for an error it answers with, Unreachable where nobody does."""

    def __init__(
        self, base_url: str, *, api_key: str | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        """``transport`` is for tests, or for a proxy."""
        self._base_url = base_url
        self._http = httpx.Client(base_url=base_url, headers=key_headers(api_key), timeout=TIMEOUT, transport=transport)

    def __enter__(self) -> Khala:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def submit(self, *, idempotency_key: str | None = None, **fields: Any) -> GenerateAnswer:
        """Ask for songs, with the fields of ``POST /generate``."""
        return self._ask(submission(fields, idempotency_key), GenerateAnswer)

    def job(self, job_id: str) -> JobAnswer:
        return self._ask(Call(method="GET", path=f"/job/{job_id}"), JobAnswer)

    def jobs(self, *, limit: int = 20, cursor: str | None = None, text: str | None = None) -> JobsAnswer:
        """A page of the history, newest first."""
        query = {"limit": limit, "cursor": cursor, "text": text}
        return self._ask(Call(method="GET", path="/jobs", query=query), JobsAnswer)

    def cancel(self, job_id: str) -> JobAnswer:
        return self._ask(Call(method="DELETE", path=f"/job/{job_id}"), JobAnswer)

    def retry(self, job_id: str) -> JobAnswer:
        return self._ask(Call(method="POST", path=f"/job/{job_id}/retry"), JobAnswer)

    def status(self) -> StatusAnswer:
        return self._ask(Call(method="GET", path="/status"), StatusAnswer)

    def config(self) -> ConfigAnswer:
        return self._ask(Call(method="GET", path="/config"), ConfigAnswer)

    def wait(
        self,
        job_id: str,
        *,
        on_progress: Callable[[JobAnswer], None] = lambda job: None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> JobAnswer:
        """Follow a job until it has ended; ``on_progress`` hears every change.

        A connection that breaks is made again, for as long as nobody has answered for ``patience_seconds``.
        """
        stream, heard_at = Stream(), time.monotonic()
        while True:
            try:
                with self._http.stream("GET", f"/job/{job_id}/events", headers=stream.headers()) as answer:
                    if not answer.is_success:
                        answer.read()
                        check(answer)
                    for line in answer.iter_lines():
                        heard_at = time.monotonic()
                        if job := stream.job(line):
                            on_progress(job)
                job, heard_at = self.job(job_id), time.monotonic()
                if job.status.is_final:
                    return job
            except (httpx.TransportError, Unreachable) as error:
                if time.monotonic() - heard_at > patience_seconds:
                    raise unreachable(self._base_url, error) from error
            time.sleep(RECONNECT_SECONDS)

    def download(self, job: JobAnswer, folder: Path | str, *, kinds: Sequence[str] = FILES) -> list[Path]:
        """The files of a job's finished tracks, in ``folder``; a half-written one is never left there."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        return [self._fetch(path, Path(folder) / name) for path, name in wanted_files(job, kinds)]

    def _fetch(self, path: str, target: Path) -> Path:
        unfinished = target.with_name(f".{target.name}.part")
        try:
            with self._http.stream("GET", path) as answer:
                if not answer.is_success:
                    answer.read()
                    check(answer)
                with unfinished.open("wb") as file:
                    for piece in answer.iter_bytes():
                        file.write(piece)
            return unfinished.replace(target)
        except httpx.TransportError as error:
            raise unreachable(self._base_url, error) from error
        finally:
            unfinished.unlink(missing_ok=True)

    def _ask(self, call: Call, kind: type[AnswerT]) -> AnswerT:
        try:
            return answered(self._http.request(**call.arguments()), kind)
        except httpx.TransportError as error:
            raise unreachable(self._base_url, error) from error
