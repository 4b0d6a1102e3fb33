"""The configured providers: each with its place, its key and its models."""

import os
from collections.abc import Mapping

import msgspec

from setu.config.model import Config, ProviderConfig
from setu.credentials import aws, google
from setu.dialects.record import Facts
from setu.dialects.registry import DIALECTS
from setu.errors import ConfigError
from setu.ports import Signer
from setu.providers import lookup
from setu.providers.deployment import Deployment
from setu.providers.models import facts
from setu.providers.record import Provider, Scheme, Variable
from setu.system import SystemClock
from setu.transport.httpx_ import HttpxTransport
from setu.transport.reverse import HOME


def deployments(
    config: Config, environ: Mapping[str, str] = os.environ, *, offline_key: str | None = None
) -> dict[str, Deployment]:
    """Return the configured providers, or, with none configured, those whose keys the environment holds.

    `offline_key` stands in for missing keys where nothing leaves the machine (replay, conformance); then every named
    provider is there.

    Raises:
        ConfigError: an unknown provider, or one without the base URL it needs.
    """
    wanted = {name: section for name, section in config.providers.items() if section.enabled}
    if not config.providers:
        found = {name: lookup.find(name) for name in lookup.BUILT_IN}
        wanted = {
            name: ProviderConfig()
            for name, provider in found.items()
            if (_addressed(provider) if offline_key is not None else _ready(provider, environ))
        }
    return {name: _deployment(name, section, environ, offline_key) for name, section in wanted.items()}


def _addressed(provider: Provider) -> bool:
    """Tell whether it is one host: that of a key, or a dialect's own (Ollama's, which has a path no other host has)."""
    return bool(provider.keys) or provider.name in HOME.values()


def _ready(provider: Provider, environ: Mapping[str, str]) -> bool:
    """Tell whether the environment says all that a provider needs: its URL, and a key or other credentials."""
    said = [any(environ.get(env) for env in source.env) for source in provider.variables.values() if source.env]
    needed = [source for source in provider.variables.values() if source.default is None and source.follows is None]
    if any(not any(environ.get(env) for env in source.env) for source in needed):
        return False
    if not provider.keys and provider.credentials is None:
        return any(said)  # a host without keys is there if its address is given (OLLAMA_HOST)
    return any(environ.get(name) for name in (*(key.env for key in provider.keys), *_SIGNING[provider.credentials]))


_SIGNING: Mapping[str | None, tuple[str, ...]] = {
    None: (),
    "aws": ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    "google": (google.CREDENTIALS,),
}
"""Environment variables that stand for credentials other than a key."""


def _deployment(name: str, section: ProviderConfig, environ: Mapping[str, str], offline_key: str | None) -> Deployment:
    provider = lookup.find(section.type or name) if section.type or not section.base_url else _found(name)
    unknown = [dialect for dialect in provider.dialects if dialect not in DIALECTS]
    if unknown:
        known = ", ".join(sorted(DIALECTS))
        raise ConfigError(f"provider {name} speaks {unknown[0]!r}, which is no dialect; there are {known}")
    base_url = _filled(
        name, section.base_url or provider.base_url, section, provider, environ, offline=offline_key is not None
    )
    if not base_url:
        raise ConfigError(f"providers.{name}: base_url is required for type {provider.name}")
    key, scheme = _key(section, provider, environ)
    if key is None and not offline_key and not provider.keys:
        scheme = "none"
    return Deployment(
        name=name,
        provider=provider,
        base_url=base_url,
        key=key or offline_key,
        scheme=scheme,
        models=_models(section, provider),
        families=() if section.models is not None else provider.families,
        region=section.region,
        tags=frozenset(section.tags),
        weight=section.weight,
        priority=section.priority,
        timeout=section.timeout,
        signer=_signer(provider, section, environ) if key is None and offline_key is None else None,
    )


def _signer(provider: Provider, section: ProviderConfig, environ: Mapping[str, str]) -> Signer | None:
    """Return what signs for a host that was given no key."""
    if provider.credentials == "aws" and aws.likely(environ):
        return aws.SigV4(aws.region_of(section.variables, environ))
    if provider.credentials == "google" and environ.get(google.CREDENTIALS):
        return google.load(environ[google.CREDENTIALS], SystemClock(), HttpxTransport)
    return None


def _filled(
    name: str,
    base_url: str,
    section: ProviderConfig,
    provider: Provider,
    environ: Mapping[str, str],
    *,
    offline: bool,
) -> str:
    """Fill a base URL's variables from the configuration, the environment, or their defaults."""
    values: dict[str, str] = {}
    for variable, source in provider.variables.items():
        value = section.variables.get(variable) or _said(source, environ, values) or ""
        for known, text in values.items():
            value = value.replace("{" + known + "}", text)
        values[variable] = value
        if "{" + variable + "}" not in base_url:
            continue
        if not value and offline:
            value = source.example or ""
        if not value:
            unset = " or ".join(source.env) or "no variable"
            raise ConfigError(f"providers.{name}: variables.{variable} is required ({unset} is unset)")
        base_url = base_url.replace("{" + variable + "}", source.reads(value) if source.reads is not None else value)
    return base_url


def _said(source: Variable, environ: Mapping[str, str], values: Mapping[str, str]) -> str | None:
    """Return a variable's value without the configuration: by another variable, from the environment, its default."""
    if source.follows is not None:
        return source.cases.get(values.get(source.follows, ""), source.default)
    return next((environ[env] for env in source.env if environ.get(env)), source.default)


def _found(name: str) -> Provider:
    """A table with a base URL and no type is a generic host, unless its name is a known or an installed one."""
    known = name in lookup.BUILT_IN or name in lookup.ALIASES or lookup.installed(name)
    return lookup.find(name if known else "openai_compatible")


def _key(section: ProviderConfig, provider: Provider, environ: Mapping[str, str]) -> tuple[str | None, Scheme]:
    if section.api_key is not None:
        return section.api_key.get_secret_value() or None, provider.scheme
    for source in provider.keys:
        if environ.get(source.env):
            return environ[source.env], source.scheme
    return None, provider.scheme


def _models(section: ProviderConfig, provider: Provider) -> Mapping[str, Facts]:
    """Return the listed ids with their facts; what the configuration says of a model wins over what its name says."""
    if section.models is None:
        return provider.models
    return {
        model: msgspec.structs.replace(provider.models.get(model, facts(model)), **said.given())
        for model, said in section.models.items()
    }
