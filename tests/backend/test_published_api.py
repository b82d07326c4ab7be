"""The published API, field for field: every field of a recorded answer is here, with the same kind of value.

``published.json`` holds one answer a call, in the shape of contract section 7; a client that reads those reads ours.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.backend.studio import studio
from tests.fakes.engine import FakeEngine

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "published.json").read_text(encoding="utf-8"))

MAY_DIFFER = {"gpu_id"}
"""A number there; here also "cpu", which the published system cannot run on."""


def assert_readable(recorded: Any, ours: Any, where: str) -> None:
    """Every field that was recorded is there and holds the same kind of value."""
    if isinstance(recorded, dict):
        assert isinstance(ours, dict), where
        for name, value in recorded.items():
            assert name in ours, f"{where}.{name} is missing"
            if name not in MAY_DIFFER:
                assert_readable(value, ours[name], f"{where}.{name}")
    elif isinstance(recorded, list):
        assert isinstance(ours, list), where
        assert ours, where
        for one in ours:
            assert_readable(recorded[0], one, f"{where}[]")
    elif isinstance(recorded, (int, float)) and not isinstance(recorded, bool):
        assert isinstance(ours, (int, float)), where
    else:
        assert isinstance(ours, type(recorded)), where


async def test_every_recorded_field_is_answered(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        await running.until_idle()
        # What a published client sends: no field of ours, and not even all of the published ones.
        created = await running.api.post("/generate", json={"tags": "J-Pop", "lyrics": "[Verse]\nla la"})
        await running.finished(created.json()["job_id"])
        await running.until_idle()
        answers = {"POST /generate": created.json()}
        for call in RECORDED:
            method, path = call.split(" ")
            if method == "GET":
                answers[call] = (await running.api.get(path.format(job_id=created.json()["job_id"]))).json()

    for call, recorded in RECORDED.items():
        assert_readable(recorded, answers[call], call)
    assert answers["POST /generate"]["num_tracks"] == 2
    assert answers["GET /job/{job_id}"]["status"] == "completed"
    assert list(answers["GET /tags"]) == list(RECORDED["GET /tags"])


@pytest.mark.parametrize(
    ("recorded", "ours"),
    [({"a": 1}, {}), ({"a": 1}, {"a": "1"}), ({"a": None}, {"a": 0}), ([{"a": 1}], []), ({"a": [1]}, {"a": ["x"]})],
)
def test_what_a_client_could_not_read_is_noticed(recorded: Any, ours: Any) -> None:
    with pytest.raises(AssertionError):
        assert_readable(recorded, ours, "answer")
