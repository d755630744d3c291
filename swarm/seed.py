"""`make swarm-seed EMAIL= PASSWORD=`: the demo goods, their pictures and a history, in the deployed shop."""

from __future__ import annotations

import json
import os
import ssl
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from docker.types import Mount

from local.seed import history, steps
from local.seed.goods import Good, load
from local.seed.shop import Shop, ShopRefused
from swarm import jobs
from swarm.cluster import Cluster, Failed
from swarm.options import BadOption
from swarm.rollout import Say
from swarm.secrets import SIGNED_FOR, Secrets


def seed(cluster: Cluster, email: str, password: str, say: Say = print) -> None:
    """By the shop's own API, as a member of staff; only the history goes in by a job."""
    if not email or not password:
        raise BadOption("Say who: make swarm-seed EMAIL= PASSWORD= of a member of staff.")
    with tempfile.TemporaryDirectory(prefix="hivemart-") as folder:
        trust_own_certificate(cluster, Path(folder))
        shop = Shop(cluster.options.public_url, email, password)
        try:
            goods = load()
            steps.create_categories(shop, goods)
            ids = steps.create_products(shop, goods)
            import_history(cluster, goods, ids, Path(folder))
            steps.wait_for_pictures(shop)
            steps.train_first_model(shop, ids)
        except (ShopRefused, steps.SeedFailed, OSError) as error:
            raise Failed(f"Seeding stopped: {error}") from error
    say(f"{len(goods)} products are in.")


def trust_own_certificate(cluster: Cluster, folder: Path) -> None:
    """Where the certificate is one of our own, this process believes it, and no other."""
    current = Secrets(cluster).newest().get("tls_cert")
    if not cluster.options.tls or current is None or SIGNED_FOR not in current.labels:
        return
    address = urlsplit(cluster.options.public_url)
    file = folder / "certificate.pem"
    file.write_text(ssl.get_server_certificate((address.hostname or "", address.port or 443)))
    os.environ["SSL_CERT_FILE"] = str(file)


def import_history(cluster: Cluster, goods: list[Good], ids: dict[str, str], folder: Path) -> None:
    """Two months of made-up visits, by logs_svc's own command on this machine."""
    shared = folder / "history"
    shared.mkdir()
    file = shared / "visits.jsonl"
    events = history.visits(goods, ids, datetime.now(UTC))
    file.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    for path in (folder, shared):
        path.chmod(0o755)  # the job's user is another one
    jobs.run_job(
        cluster,
        jobs.from_running(cluster, "logs"),
        ["python", "manage.py", "import_events", "/history/visits.jsonl"],
        env={"EVENTS_JOURNAL_DIR": ""},  # the service's own volume is not the job's
        mounts=[Mount("/history", str(shared), type="bind", read_only=True)],
        on_this_node=True,
        timeout=600,
    )
