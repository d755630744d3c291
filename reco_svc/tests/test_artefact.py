"""A model's file: the same content has the same name, it is mapped, and a damaged one is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from reco.engine.artefact import Model, matrix_arrays, names_array, place_of, row


@pytest.fixture
def model():
    similar = sparse.csr_matrix(np.array([[0, 2.5, 0], [1, 0, 3], [0, 0, 0]], dtype=np.float32))
    products = names_array(["tent", "torch", "brötchen"])
    return Model({"products": products, **matrix_arrays("similar", similar)}, {"algorithm": "knn"})


def test_a_model_survives_its_file_and_cannot_be_changed_there(model, tmp_path):
    loaded = Model.load(model.save(tmp_path))

    assert loaded.about == {"algorithm": "knn"}
    assert loaded.arrays.keys() == model.arrays.keys()
    assert [array.tolist() for array in row(loaded, "similar", 1)] == [[0, 2], [1.0, 3.0]]
    assert not any(array.flags.writeable for array in loaded.arrays.values())


def test_the_same_model_has_the_same_name_and_leaves_one_file(model, tmp_path):
    first, second = model.save(tmp_path), model.save(tmp_path)
    other = Model(model.arrays, {"algorithm": "other"}).save(tmp_path)

    assert first == second != other
    assert sorted(tmp_path.iterdir()) == sorted([first, other])


def test_a_name_is_found_without_a_dictionary(model):
    names = model.arrays["products"]

    assert [place_of(names, name) for name in ("brötchen", "tent", "torch")] == [0, 1, 2]
    assert [place_of(names, name) for name in ("", "ten", "tents", "zebra" * 99)] == [-1] * 4


@pytest.mark.parametrize("length", [0, 7, 15, 40, -1])
def test_a_file_cut_short_is_refused(model, tmp_path, length):
    path = model.save(tmp_path)
    path.write_bytes(path.read_bytes()[:length])

    for verify in (True, False):
        with pytest.raises(ValueError, match="model"):
            Model.load(path, verify=verify)


def test_a_file_with_a_changed_byte_is_refused(model, tmp_path):
    path = model.save(tmp_path)
    data = bytearray(path.read_bytes())
    data[-70] ^= 1
    path.write_bytes(data)

    with pytest.raises(ValueError, match="damaged"):
        Model.load(path)
