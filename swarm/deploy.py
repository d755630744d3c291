"""`make deploy`: from the work tree to a healthy shop, again and again. What did not change is left alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from docker.errors import APIError

from local.data import SERVICES
from swarm import cli, compose, drift, expected, images, jobs, nodes, stand_ins, state, variables
from swarm.cluster import STACK_LABEL, Cluster, Failed
from swarm.jobs import MountedFile
from swarm.options import STAND_IN, Options
from swarm.rollout import RolloutWatcher, ServiceStatus, service_status, wait_for_dns
from swarm.secrets import Secrets
from swarm.service_image import image_of, label_images, with_image
from swarm.shop import WEBS

Say = Callable[[str], None]
MONTHLY_DATABASES = frozenset({"logs"})  # `prepare` makes the databases of the months to come
MAX_PARALLEL = 2  # databases prepared at the same time
PREPARE_SECONDS = 300.0


@dataclass(frozen=True)
class Plan:
    """The stack as the files and this cluster's variables make it."""

    cluster: Cluster
    variables: Mapping[str, str]
    document: Mapping[str, Any]
    stores: frozenset[str]
    """services of the data files: they come first, once"""

    @classmethod
    def make(cls, cluster: Cluster, references: Mapping[str, str]) -> Plan:
        values = variables.make(cluster, references)
        first = compose.load(data_files(cluster.options), values)
        return cls(
            cluster, values, compose.load(files(cluster.options), values), frozenset(first["services"])
        )

    @property
    def services(self) -> frozenset[str]:
        return frozenset(self.document["services"])

    def preparation_mark(self, service: str, today: date) -> str:
        """Return a mark of what a service's databases were prepared with; a new mark means: prepare again.

        For services with databases by the month, the month is part of it.
        """
        spec = self.document["services"][service]
        couch = self.variables[f"SECRET_{variables.upper(service)}_COUCH_USER"]
        parts = [spec["image"], couch, self.variables[f"{variables.upper(service)}_DB_HOST"]]
        return " ".join([*parts, f"{today:%Y-%m}"] if service in MONTHLY_DATABASES else parts)


def files(options: Options) -> list[Any]:
    return compose.files(
        tls=options.tls, azurite=not options.blob_store, mail_password=bool(options.mail.password)
    )


def data_files(options: Options) -> list[Any]:
    return [path for path in files(options) if path.stem in {"data", "azurite"}]


def image_names(options: Options) -> list[str]:
    """Return the images that this stack needs of those that can be built."""
    wanted = [*WEBS, "gateway"]
    wanted += ["autoscale"] if "autoscale" in images.names() and _has_autoscaler() else []
    wanted += [] if options.redis_image else ["valkey"]
    wanted += [] if options.blob_store or options.azurite_image else ["azurite"]
    return wanted + (["couch"] if options.couchdb_image == STAND_IN else [])


def _has_autoscaler() -> bool:
    return (compose.STACK / "autoscale.yml").exists()


def build(cluster: Cluster, say: Say) -> dict[str, str]:
    """Name -> reference of every image that the stack needs."""
    say("Images")
    return images.build_all(
        image_names(cluster.options), client=cluster.docker, registry=cluster.options.registry, say=say
    )


def deploy(cluster: Cluster, say: Say = print) -> None:
    """Bring the stack to what the work tree and the options say.

    Raises Failed, with the reason, if that did not work: what was rolled is rolled back then.
    """
    began = time.monotonic()
    jobs.clean_up(cluster)
    references = build(cluster, say)
    _ensure_secrets_and_labels(cluster, say)
    plan = Plan.make(cluster, references)
    _start_stores(plan, say)
    prepare(plan, say)
    before = cluster.services()
    watch = RolloutWatcher(cluster, plan.services, say)
    say(f"Stack {cluster.stack}")
    label_images(cluster)
    _apply(plan, files(cluster.options), prune=True)
    _roll_outdated(cluster, plan.services)
    changed = changed_services(before, cluster.services())
    _wait_or_roll_back(cluster, watch, changed, say)
    if set(WEBS) - before.keys():
        wait_for_dns()
    _remember_images(plan, before)
    _remove_old_configurations(plan)
    _ensure_standbys(cluster, say)
    expected.write(cluster, expected.from_compose(cluster, plan.document))
    drift.check(cluster)
    _report_result(cluster, changed, time.monotonic() - began, say)


def _ensure_secrets_and_labels(cluster: Cluster, say: Say) -> None:
    made = Secrets(cluster).ensure()
    tls_lines = [line for line in made if line.startswith("tls: ")]
    say(f"Secrets: {len(made) - len(tls_lines)} made" if len(made) > len(tls_lines) else "Secrets: all there")
    for line in [*tls_lines, *nodes.ensure_labels(cluster)]:
        say(f"  {line}")


def _apply(plan: Plan, paths: Sequence[Any], *, prune: bool) -> None:
    registry = bool(plan.cluster.options.registry)
    cli.deploy_stack(plan.cluster.stack, paths, plan.variables, prune=prune, registry=registry)


def _roll_outdated(cluster: Cluster, names: Collection[str]) -> None:
    """Roll what runs an older image of the name that it is to run: its specification says nothing of that."""
    for name in drift.outdated(cluster, names):
        cluster.update_service(name, lambda service: with_image(service, image_of(service)))


def _start_stores(plan: Plan, say: Say) -> None:
    """Start databases before the services that want them.

    This happens only where one is missing or does not run, as after a deploy that failed here.
    """
    if plan.stores <= plan.cluster.services().keys() and not not_running(plan.cluster, plan.stores):
        return
    say("Stores")
    watch = RolloutWatcher(plan.cluster, plan.stores, say)
    _apply(plan, data_files(plan.cluster.options), prune=False)
    watch.until_healthy(plan.cluster.options.timeout)


def not_running(cluster: Cluster, names: Collection[str]) -> list[str]:
    """Services of these that should have a task and have none that runs."""
    services, tasks = cluster.services(), cluster.tasks()
    there = (name for name in names if name in services)
    status = (service_status(name, services[name], tasks.get(services[name]["ID"], [])) for name in there)
    return sorted(one.name for one in status if one.desired and not one.running)


def prepare(plan: Plan, say: Say) -> None:
    """Prepare databases, views and users where image, password, database or month changed."""
    today = datetime.now(UTC).date()
    marks = state.read(plan.cluster).get("prepared", {})
    to_prepare = [name for name in SERVICES if marks.get(name) != plan.preparation_mark(name, today)]
    if not to_prepare:
        return
    say("Databases")
    with ThreadPoolExecutor(max_workers=MAX_PARALLEL) as pool:
        for lines in pool.map(lambda name: prepare_service(plan, name), to_prepare):
            say(f"  {jobs.last_output(lines, 'prepared')}")
    current = state.read(plan.cluster)
    marks = current.get("prepared", {}) | {name: plan.preparation_mark(name, today) for name in to_prepare}
    state.write(plan.cluster, current | {"prepared": marks})


def prepare_service(plan: Plan, service: str) -> list[str]:
    """`manage.py prepare` as the database's administrator."""
    return jobs.run_job(
        plan.cluster,
        jobs.from_compose(plan.cluster, plan.document, service),
        ["python", "manage.py", "prepare"],
        networks=[f"{plan.cluster.stack}_{service}-db"],
        timeout=PREPARE_SECONDS,
        **admin_access(plan.variables, service),
    )


def admin_access(values: Mapping[str, str], service: str) -> dict[str, Any]:
    """`env` and `secrets` of a job that is the administrator of the service's CouchDB."""
    host = values[f"{variables.upper(service)}_DB_HOST"]
    secret = values[f"SECRET_{variables.upper(service)}_COUCH_ADMIN"]
    return {
        "env": {
            "COUCHDB_ADMIN_URL": f"http://admin@{host}:5984",
            "COUCHDB_ADMIN_PASSWORD_FILE": "/run/secrets/couch_admin",
        },
        "secrets": [MountedFile(secret, "couch_admin")],
    }


def changed_services(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Services that were there and have another specification of their tasks now."""
    return sorted(
        name
        for name in before.keys() & after.keys()
        if before[name]["Spec"]["TaskTemplate"] != after[name]["Spec"]["TaskTemplate"]
    )


def _wait_or_roll_back(cluster: Cluster, watch: RolloutWatcher, changed: Sequence[str], say: Say) -> None:
    """Wait; roll back what was rolled when one of them was undone by Swarm or does not come up."""
    try:
        rolled_back = watch.until_healthy(cluster.options.timeout)
    except Failed as error:
        _roll_back(cluster, changed, say)
        raise Failed(f"{error}\nThe deploy failed; {_restored_sentence(changed)}") from error
    if rolled_back:
        names = [status.name for status in rolled_back]
        _roll_back(cluster, [name for name in changed if name not in names], say)
        why = f"Swarm rolled back {', '.join(names)}:\n  {watch.explain(names)}"
        raise Failed(f"{why}\nThe deploy failed; {_restored_sentence(changed)}")


def _restored_sentence(changed: Sequence[str]) -> str:
    return "everything is as it was before." if changed else "nothing was there to go back to."


def _roll_back(cluster: Cluster, names: Sequence[str], say: Say) -> list[ServiceStatus]:
    if not names:
        return []
    say(f"Rolling back {', '.join(names)}")
    watch = RolloutWatcher(cluster, names, say)
    for name in names:
        cli.roll_back(f"{cluster.stack}_{name}")
    return watch.until_healthy(cluster.options.timeout)


def _remember_images(plan: Plan, before: Mapping[str, Any]) -> None:
    """Store the previous images for `make rollback`."""
    current = state.read(plan.cluster)
    previous = dict(current.get("previous", {}))
    for name, service in plan.cluster.services().items():
        was = image_of(before.get(name, service))
        if was != image_of(service):
            previous[name] = was
    state.write(plan.cluster, current | {"previous": previous})


def _remove_old_configurations(plan: Plan) -> None:
    """Remove configurations that no service uses any more."""
    used = {raw["name"] for raw in plan.document.get("configs", {}).values() if "name" in raw}
    prefix = f"{plan.cluster.stack}_public_keys_"
    for config in plan.cluster.api.configs(filters={"label": f"{STACK_LABEL}={plan.cluster.stack}"}):
        name = config["Spec"]["Name"]
        if name.startswith(prefix) and name not in used:
            try:
                plan.cluster.api.remove_config(config["ID"])
            except APIError:  # a service that is to be rolled back may have it
                continue


def _ensure_standbys(cluster: Cluster, say: Say) -> None:
    from swarm import standby  # its jobs are made with this module

    standby.ensure(cluster, say)


def _report_result(cluster: Cluster, changed: Sequence[str], seconds: float, say: Say) -> None:
    what = f"rolled {', '.join(changed)}" if changed else "nothing had to be rolled"
    say(f"The shop is up at {cluster.options.public_url} after {seconds:.0f} s; {what}.")
    for _, sentence in stand_ins.find_warnings(cluster.services()):
        say(f"  {sentence}")
    remembered = state.read(cluster)
    if held := remembered.get("held"):
        say(f"Stopped by a restore or a promotion that did not end: {', '.join(sorted(held))}.")
    if not remembered.get("staff"):
        say("Nobody may sign in as staff yet: make swarm-staff EMAIL=you@example.org asks for a password.")
