"""GET /tags."""

from __future__ import annotations

import json
from functools import cache

from fastapi import APIRouter
from pydantic import TypeAdapter

from backend.api.schemas import TagCategory
from backend.settings import BACKEND_ROOT

router = APIRouter(tags=["catalog"])

_TAGS_FILE = BACKEND_ROOT / "data" / "tags.json"


@router.get("/tags", summary="Tags the models know")
async def tags() -> dict[str, TagCategory]:
    """Four categories of tags, for the ``tags`` field of a request; other words are allowed too."""
    return load_tags()


@cache
def load_tags() -> dict[str, TagCategory]:
    """The catalogue, read once."""
    return TypeAdapter(dict[str, TagCategory]).validate_python(json.loads(_TAGS_FILE.read_text(encoding="utf-8")))
