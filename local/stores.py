"""The three stores as processes: what they are started with here, unless they are somewhere else."""

from __future__ import annotations

from local.binaries import node_binary, valkey_binary
from local.options import ROOT
from local.plan import ACCOUNT, Plan, common_env
from local.process_spec import ProcessKind, ProcessSpec


def store_processes(plan: Plan) -> list[ProcessSpec]:
    """Those of the three stores that are not somewhere else already."""
    made = [
        (plan.options.couchdb_url, couch_process),
        (plan.options.redis_url, valkey_process),
        (plan.options.blob_store, azurite_process),
    ]
    return [make(plan) for elsewhere, make in made if not elsewhere]


def couch_process(plan: Plan) -> ProcessSpec:
    return ProcessSpec(
        name="couch",
        command=(node_binary(), "--max-semi-space-size=4", "server.js"),
        cwd=ROOT / "local" / "couch",
        env=common_env()
        | {
            "COUCH_PORT": str(plan.port["couch"]),
            "COUCH_DIR": str(plan.data / "couch"),
            "COUCHDB_PASSWORD": plan.secrets["couch"],
        },
        kind=ProcessKind.STORE,
        port=plan.port["couch"],
    )


def valkey_process(plan: Plan) -> ProcessSpec:
    """Nothing is kept on disk: losing Redis loses no fact (docs/architecture.md)."""
    configuration = plan.data / "valkey" / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f"port {plan.port['valkey']}\nbind 127.0.0.1\nrequirepass {plan.secrets['valkey']}\n"
        f'save ""\nappendonly no\ndir "{plan.data / "valkey"}"\nmaxmemory 128mb\nloglevel warning\n'
    )
    return ProcessSpec(
        name="valkey",
        command=(valkey_binary(), str(configuration)),
        cwd=plan.data / "valkey",
        env=common_env(),
        kind=ProcessKind.STORE,
        port=plan.port["valkey"],
    )


def azurite_process(plan: Plan) -> ProcessSpec:
    main = ROOT / "local" / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    return ProcessSpec(
        name="azurite",
        command=(
            *(node_binary(), "--max-old-space-size=192", str(main), "--location", str(plan.data / "azurite")),
            *("--blobHost", "127.0.0.1", "--blobPort", str(plan.port["azurite"])),
            *("--skipApiVersionCheck", "--disableTelemetry", "--silent"),
        ),
        cwd=plan.data / "azurite",
        env=common_env() | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{plan.secrets['azurite']}"},
        kind=ProcessKind.STORE,
        port=plan.port["azurite"],
    )
