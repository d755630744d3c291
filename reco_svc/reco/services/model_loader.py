"""The model's file as an attachment of its document."""

from __future__ import annotations

from chassis.couch import Repository
from reco import model_codec, model_files
from reco.domain import Lists, Model


def model_lists(models: Repository[Model], model: Model) -> Lists:
    """Load a model from its attachment; raises ValueError if it is damaged."""
    return model_codec.unpack(model_files.verify_content(models.attachment(model.id, model.file), model.file))
