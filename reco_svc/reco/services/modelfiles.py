"""The file of a model, as it is attached to its document."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

from chassis.couch import Repository
from reco import files
from reco.domain import Lists, Model

ARTEFACT = "lists.json.gz"


def model_lists(models: Repository[Model], model: Model) -> Lists:
    """From its attachment, checked. ValueError for a damaged one."""
    if not model.file:
        return unpack_older(models.attachment(model.id, ARTEFACT))
    return files.unpack(files.checked(models.attachment(model.id, model.file), model.file))


def unpack_older(data: bytes) -> Lists:
    """Lists of a model of before `reco.files`: gzipped JSON. ValueError for a damaged one."""
    try:
        raw: dict[str, Any] = json.loads(gzip.decompress(data))
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"the model's file is damaged: {error}") from error
    pairs = {
        name: {
            product: [(other, score) for other, score in near] for product, near in raw.get(name, {}).items()
        }
        for name in ("similar", "together", "personal")
    }
    return Lists(
        trending=[(product, score) for product, score in raw["trending"]],
        histories=raw["histories"],
        tastes=raw.get("tastes", {}),
        owned=raw["owned"],
        **pairs,
    )
