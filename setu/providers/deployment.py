"""A provider as configured here: its name, its key, its models."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from setu.dialects.record import Facts
from setu.ports import Signer
from setu.providers.record import Provider, Scheme


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One configured upstream. `models` are the listed ids; `key` never leaves through a message or a log.

    `signer` takes the place of a key where a header is not enough.
    """

    name: str
    provider: Provider
    base_url: str
    key: str | None = None
    scheme: Scheme = "bearer"
    models: Mapping[str, Facts] = {}
    families: tuple[str, ...] = ()
    timeout: float = 600.0
    signer: Signer | None = None

    def __repr__(self) -> str:
        return f"Deployment({self.name!r}, {self.base_url!r})"

    def lists(self, model: str) -> bool:
        return model in self.models

    def serves(self, model: str) -> bool:
        """Tell whether the model is listed or belongs to a family."""
        return model in self.models or any(fnmatchcase(model, family) for family in self.families)

    def facts(self, model: str) -> Facts:
        """Return what is known of a model: its own row, else the longest listed id that starts it."""
        if model in self.models:
            return self.models[model]
        near = [listed for listed in self.models if model.startswith(listed)]
        return self.models[max(near, key=len)] if near else Facts()


def url(deployment: Deployment, path: str) -> tuple[str, str]:
    """Return origin and path of an endpoint below the deployment's base URL; a doubled `/v1` is said once."""
    scheme, _, rest = deployment.base_url.rstrip("/").partition("://")
    authority, slash, base = rest.partition("/")
    base = slash + base
    for version in ("/v1beta", "/v1"):
        if base.endswith(version) and path.startswith(version + "/"):
            base = base.removesuffix(version)
    return f"{scheme}://{authority}", base + path
