"""GET /job/{job_id}/track/{index}/mp3, /wav and /json, the files of a finished track, and /waveform, its shape."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import FileResponse

from backend.api.collaborators import Studio
from backend.api.file_name import file_name
from backend.api.job_schemas import WaveformAnswer
from backend.api.jobs import StoredJob
from backend.api.schemas import ErrorAnswer
from backend.api.song_file import FOR_A_DAY, song_file
from backend.artifacts.waveform import peaks_of
from core.job import Job, Track, TrackStatus

router = APIRouter(
    prefix="/job/{job_id}/track/{index}",
    tags=["tracks"],
    responses={
        400: {"model": ErrorAnswer, "description": "The job has no track of this number"},
        404: {"model": ErrorAnswer, "description": "There is no such job, or the track is not ready"},
        422: {"model": ErrorAnswer, "description": "The track's number is not a number"},
    },
)


def _file(media_type: str) -> dict[int | str, dict[str, object]]:
    return {
        200: {"description": "The file", "content": {media_type: {}}},
        304: {"description": "The file is known already, as If-None-Match says"},
        206: {"description": "The bytes asked for by a Range header", "content": {media_type: {}}},
        416: {"model": ErrorAnswer, "description": "The file has no such bytes"},
    }


@router.head("/mp3", include_in_schema=False)
@router.get("/mp3", summary="A track as MP3", response_class=FileResponse, responses=_file("audio/mpeg"))
async def mp3(index: int, job: StoredJob, request: Request, studio: Studio) -> Response:
    """The track at 320 kbit/s; byte ranges are honoured."""
    track = _finished_track(index, job)
    if track.mp3_file is None:
        raise HTTPException(404, track.error or "This track has no MP3.")
    name = file_name(job, track, "mp3")
    return song_file(studio.artifacts.find(track.mp3_file), "audio/mpeg", request, name=name)


@router.head("/wav", include_in_schema=False)
@router.get("/wav", summary="A track as WAV", response_class=FileResponse, responses=_file("audio/wav"))
async def wav(index: int, job: StoredJob, request: Request, studio: Studio) -> Response:
    """The track at 44.1 kHz, 16 bits, stereo; byte ranges are honoured."""
    track = _finished_track(index, job)
    name = file_name(job, track, "wav")
    return song_file(studio.artifacts.find(track.wav_file or ""), "audio/wav", request, name=name)


@router.head("/json", include_in_schema=False)
@router.get("/json", summary="A track's metadata", response_class=FileResponse, responses=_file("application/json"))
async def metadata(index: int, job: StoredJob, request: Request, studio: Studio) -> Response:
    """How the track was made; posting its ``request`` to /generate makes it again."""
    track = _finished_track(index, job)
    name = file_name(job, track, "json")
    return song_file(studio.artifacts.find(track.metadata_file or ""), "application/json", request, name=name)


@router.get("/waveform", summary="The shape of a track")
async def waveform(index: int, job: StoredJob, response: Response, studio: Studio) -> WaveformAnswer:
    """Peaks of equal stretches from the beginning to the end, for drawing the track without fetching it."""
    track = _finished_track(index, job)
    peaks = await asyncio.to_thread(peaks_of, studio.artifacts.find(track.wav_file or ""))
    response.headers["Cache-Control"] = FOR_A_DAY
    return WaveformAnswer(peaks=list(peaks))


def _finished_track(index: int, job: Job) -> Track:
    if not 0 <= index < len(job.tracks):
        raise HTTPException(400, f"This job has tracks 0 to {len(job.tracks) - 1}.")
    track = job.tracks[index]
    if track.status is not TrackStatus.DONE:
        raise HTTPException(404, f"This track is not ready: it is {track.status.value}.")
    return track
