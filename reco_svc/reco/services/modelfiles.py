"""The file of a model, as it is attached to its document."""

from __future__ import annotations

from chassis.couch import Repository
from reco import files, packing
from reco.domain import Lists, Model


def model_lists(models: Repository[Model], model: Model) -> Lists:
    """From its attachment, checked. ValueError for a damaged one."""
    return packing.unpack(files.checked(models.attachment(model.id, model.file), model.file))
