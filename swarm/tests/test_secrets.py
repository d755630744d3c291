from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from swarm import key_material, secrets
from swarm.cluster import Failed
from swarm.secrets import Secrets
from swarm.tests.fake_docker import cluster


def test_a_first_deploy_makes_every_secret_and_a_second_one_none() -> None:
    here = cluster()

    first = Secrets(here).ensure()
    names = {secret.docker_name for secret in Secrets(here).all()}
    second = Secrets(here).ensure()

    assert len(first) > 20
    assert second == []
    assert {secret.docker_name for secret in Secrets(here).all()} == names
    assert {"hivemart_auth_couch_ini_v1", "hivemart_redis_conf_v1", "hivemart_tls_key_v1"} <= names


def test_only_a_missing_secret_is_made_and_none_is_overwritten() -> None:
    here = cluster()
    Secrets(here).ensure()
    before = dict(here.api.values)
    lost = Secrets(here).newest()["cart_secret_key"]
    Secrets(here).remove(lost)

    made = Secrets(here).ensure()

    assert made == ["cart_secret_key"]
    assert here.api.values.keys() == before.keys()
    assert [name for name in before if before[name] != here.api.values[name]] == [
        "hivemart_cart_secret_key_v1"
    ]


def test_values_derived_from_a_lost_secret_are_renewed_with_it() -> None:
    here = cluster()
    Secrets(here).ensure()
    Secrets(here).remove(Secrets(here).newest()["redis_password"])

    Secrets(here).ensure()

    configuration = Secrets(here).newest()["redis_conf"]
    password = here.api.values[Secrets(here).newest()["redis_password"].docker_name]
    assert configuration.version == 2
    assert f"requirepass {password}\n" in here.api.values[configuration.docker_name]


def test_labels_hold_public_keys_and_no_value() -> None:
    here = cluster()
    Secrets(here).ensure()

    keys = secrets.public_keys(Secrets(here).newest())

    assert set(keys) == set(secrets.SIGNERS)
    labels = " ".join(str(raw["Spec"]["Labels"]) for raw in here.api.kept["secrets"].values())
    assert [value for value in here.api.values.values() if value in labels] == []


def test_a_new_password_comes_with_a_new_user_so_that_both_are_good() -> None:
    here = cluster()
    Secrets(here).ensure()

    new = Secrets(here).make_couch_user("cart")

    assert new.labels[secrets.USER] == "cart-2"
    before = Secrets(here).previous("cart_couch_user")
    assert before is not None
    assert before.labels[secrets.USER] == "cart"


def test_a_supplied_value_gets_a_new_version_only_when_it_changes() -> None:
    text = "AccountName=shop;AccountKey=a2V5;"
    here = cluster(blob_store=text)
    Secrets(here).ensure()

    assert Secrets(here).ensure() == []
    Secrets(cluster_like(here, blob_store=text + "x")).ensure()

    assert Secrets(here).newest()["azure_connection"].version == 2


def test_a_certificate_is_signed_anew_for_another_domain() -> None:
    here = cluster()
    Secrets(here).ensure()

    made = Secrets(cluster_like(here, domain="shop.example.org")).ensure()

    assert made == [
        "tls: a self-signed certificate for shop.example.org; give TLS_CERT and TLS_KEY for a real one"
    ]


def test_a_given_certificate_stays_when_a_later_deploy_names_none(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = key_material.self_signed_certificate("shop.example.org")
    certificate.write_text(made[0])
    key.write_text(made[1])
    here = cluster(tls_cert=certificate, tls_key=key)
    Secrets(here).ensure()

    again = Secrets(cluster_like(here)).ensure()

    assert again == []
    assert here.api.values[Secrets(here).newest()["tls_cert"].docker_name] == made[0]


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_text(key_material.self_signed_certificate("a.example")[0])
    key.write_text(key_material.self_signed_certificate("a.example")[1])

    with pytest.raises(Failed, match="TLS_KEY is not the key of TLS_CERT"):
        Secrets(cluster(tls_cert=certificate, tls_key=key)).ensure()


def test_couchdb_gets_the_hash_of_the_administrators_password() -> None:
    lines = key_material.couch_ini("a password").splitlines()

    assert lines[0] == "[admins]"  # the image's start script looks for the line after it
    scheme, derived = lines[1].removeprefix("admin = -").split("-")
    expected, salt, iterations = derived.split(",")
    found = hashlib.pbkdf2_hmac("sha1", b"a password", salt.encode(), int(iterations)).hex()
    assert (scheme, expected) == ("pbkdf2", found)


def test_a_signing_key_has_a_name_and_32_bytes() -> None:
    kid, _, key = key_material.signing_key().partition(":")

    assert kid
    assert len(base64.b64decode(key)) == 32


def cluster_like(here, **options):
    """Return the same Swarm, asked for something else."""
    return type(here)(here.docker, cluster(**options).options)
