"""What stops a start, said in one sentence, with an exit code that is not 0."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from local import ports
from local.binaries import MissingTool, _from_package
from local.data import DataFolder, InvalidData
from local.options import BadOption, from_environment
from local.ports import PortTaken


def run(command="run", **env):
    done = subprocess.run(
        [sys.executable, "-m", "local", command],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr, done.stdout


def test_a_port_in_use_is_reported_with_its_process(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        result = run(PORT=str(port), DATA=str(tmp_path))

    code, error, output = result
    assert (code, output) == (1, "")
    assert error.startswith(f"Port {port} is in use by {Path(sys.executable).name} ")
    assert error.endswith(
        f" (process {os.getpid()}): stop what listens there, or choose another with PORT=.\n"
    )


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"PORT": "http"}, "PORT=http is not a port: a number from 1 to 65535."),
        ({"PORT": "70000"}, "PORT=70000 is not a port: a number from 1 to 65535."),
        ({"SEED": "all"}, "SEED=all is neither demo nor none."),
    ],
)
def test_an_invalid_option_is_refused(env, sentence):
    with pytest.raises(BadOption, match=sentence):
        from_environment(env)


def test_options_have_the_readmes_defaults():
    options = from_environment({})

    assert (options.port, options.data, options.seed) == (8000, ROOT / "var", "demo")


def test_a_file_as_data_folder_is_refused(tmp_path):
    (tmp_path / "data").touch()

    assert run(DATA=str(tmp_path / "data")) == (1, f"DATA={tmp_path / 'data'} is a file, not a folder.\n", "")


def test_a_missing_data_folder_is_created(tmp_path):
    folder = DataFolder.open(tmp_path / "not" / "yet")

    assert (folder.path / "couch").is_dir()


def test_a_second_shop_on_the_same_data_is_refused(tmp_path):
    folder = DataFolder.open(tmp_path)
    folder.lock()
    folder.write_running({"pid": 7, "port": 8000})

    result = run(PORT=str(ports.free(1)[0]), DATA=str(tmp_path))
    folder.unlock()

    said = (
        f"A shop already runs on DATA={tmp_path} (process 7, port 8000): stop it, or choose another DATA.\n"
    )
    assert result == (1, said, "")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"couch": "x"}', '"text"', "null"])
def test_damaged_secrets_are_reported_and_kept(tmp_path, content):
    DataFolder.open(tmp_path)
    (tmp_path / "secrets.json").write_text(content)

    code, error, _ = run(PORT=str(ports.free(1)[0]), DATA=str(tmp_path))

    assert code == 1
    assert error.startswith(f"{tmp_path}/secrets.json is damaged (")
    assert error.count("\n") == 1
    assert (tmp_path / "secrets.json").read_text() == content


def test_databases_without_their_secrets_are_not_given_new_ones(tmp_path):
    folder = DataFolder.open(tmp_path)
    (tmp_path / "couch" / "orders").mkdir()

    with pytest.raises(InvalidData, match=r"secrets.json is missing but .* has data"):
        folder.secrets()


def test_secrets_are_made_once_and_only_their_owner_may_read_them(tmp_path):
    folder = DataFolder.open(tmp_path)

    first = folder.secrets()

    assert folder.secrets() == first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / "secrets.json").read_text()) == first
    keys = [own["private_key"] for own in first["services"].values()]
    assert len(set(keys)) == len(keys) == 7


def test_a_missing_tool_is_reported():
    with pytest.raises(
        MissingTool, match=r"bin/thing is not installed \(package no-such-package\): run `make install`."
    ):
        _from_package("no-such-package", "/bin/thing")


def test_free_ports_are_distinct_and_outside_the_ephemeral_range():
    found = ports.free(20)

    assert len(set(found)) == 20
    assert all(20000 <= port < 32000 for port in found)


def test_a_privileged_port_is_refused():
    if os.geteuid() == 0:
        return

    with pytest.raises(PortTaken, match="Port 80 needs root"):
        ports.check(80)


def test_staff_for_a_shop_that_does_not_run_is_refused(tmp_path):
    code, error, _ = run("staff", DATA=str(tmp_path), EMAIL="a@example.org", PASSWORD="x")

    assert (code, error) == (
        1, f"No shop runs on DATA={tmp_path}: start it with `make run`, or say which DATA.\n",
    )  # fmt: skip


def test_staff_without_a_name_is_refused(tmp_path):
    code, error, _ = run("staff", DATA=str(tmp_path), EMAIL="", PASSWORD="")

    assert (code, error) == (1, "Say who: make staff EMAIL=you@example.org PASSWORD=…\n")
