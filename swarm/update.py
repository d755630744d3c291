"""`make update SERVICE=catalog [IMAGE=…]`: another image for a service and what works behind it."""

from __future__ import annotations

from collections.abc import Mapping

from swarm import deploy, drift, expected, images, jobs, state
from swarm.cluster import Cluster, Failed
from swarm.options import BadOption
from swarm.rollout import RolloutWatcher, Say
from swarm.secrets import Secrets
from swarm.service_image import image_of, with_image
from swarm.shop import SERVICES, WEBS, processes_of
from swarm.variables import upper


def update(cluster: Cluster, service: str, image: str, say: Say = print) -> None:
    """Roll to this image, or to one built from the work tree.

    Raises Failed, with the reason, if that did not work: everything is as before then.
    """
    if not service:
        raise BadOption(f"Say which: make update SERVICE=…, one of {', '.join((*WEBS, 'gateway'))}.")
    services = cluster.services()
    cluster.service(service)
    names = [name for name in processes_of(service) if name in services]
    image = image or _build_image(cluster, service, say)
    if {image_of(services[name]) for name in names} == {image} and not drift.outdated(cluster, names):
        say(f"{service} runs {image} already.")
        return
    if service in SERVICES:
        _prepare(cluster, service, image, say)
    roll(cluster, dict.fromkeys(names, image), say)
    say(f"{service} runs {image} now.")
    drift.report(cluster, say)


def _build_image(cluster: Cluster, service: str, say: Say) -> str:
    if service not in images.names():
        raise BadOption(f"{service} has no image of ours: say which, IMAGE=….")
    built = images.build_all([service], client=cluster.docker, registry=cluster.options.registry, say=say)
    return built[service]


def _prepare(cluster: Cluster, service: str, image: str, say: Say) -> None:
    """Prepare the views of the new code before it runs; what the old code uses stays."""
    secret = Secrets(cluster).newest()[f"{service}_couch_admin"]
    values = {
        f"{upper(service)}_DB_HOST": state.database_host(cluster, service),
        f"SECRET_{upper(service)}_COUCH_ADMIN": secret.docker_name,
    }
    lines = jobs.run_job(
        cluster,
        jobs.with_image(jobs.from_running(cluster, service), image),
        ["python", "manage.py", "prepare"],
        timeout=deploy.PREPARE_SECONDS,
        **deploy.admin_access(values, service),
    )
    say(f"  {jobs.last_output(lines, 'prepared')}")


def roll(cluster: Cluster, wanted: Mapping[str, str], say: Say) -> None:
    """Give each service its image; back again for all when one of them fails."""
    before = {name: image_of(cluster.service(name)) for name in wanted}
    watch = RolloutWatcher(cluster, wanted, say)
    for name, image in wanted.items():
        _set_image(cluster, name, image)
    try:
        rolled_back = [status.name for status in watch.until_healthy(cluster.options.timeout)]
        why = (
            f"Swarm rolled back {', '.join(rolled_back)}:\n  {watch.explain(rolled_back)}"
            if rolled_back
            else ""
        )
    except Failed as error:
        rolled_back, why = [], str(error)
    if why:
        _roll_back(cluster, {name: image for name, image in before.items() if name not in rolled_back}, say)
        raise Failed(f"{why}\nThe update failed; everything is as it was before.")
    current = state.read(cluster)
    changed = {name: image for name, image in before.items() if image != wanted[name]}
    state.write(cluster, current | {"previous": current.get("previous", {}) | changed})
    expected.set_images(cluster, wanted)


def _roll_back(cluster: Cluster, images_before: Mapping[str, str], say: Say) -> None:
    if not images_before:
        return
    say(f"Rolling back {', '.join(images_before)}")
    watch = RolloutWatcher(cluster, images_before, say)
    for name, image in images_before.items():
        _set_image(cluster, name, image)
    watch.until_healthy(cluster.options.timeout)


def _set_image(cluster: Cluster, name: str, image: str) -> None:
    cluster.update_service(name, lambda service: with_image(service, image))
