"""A provider that cannot be called at all."""

from setu.errors import NoDeploymentError
from setu.providers.deployment import Deployment


def need_key(deployment: Deployment) -> None:
    """Check that a provider can be called at all.

    Raises:
        NoDeploymentError: it has no credential.
    """
    if not deployment.callable:
        raise keyless(deployment)


def keyless(deployment: Deployment) -> NoDeploymentError:
    """Return the error of a provider without a credential; names the variables that could hold one."""
    names = " or ".join(source.env for source in deployment.provider.keys)
    hint = f": set {names}" if names else ""
    return NoDeploymentError(f"provider '{deployment.name}' has no key{hint}", provider=deployment.name)
