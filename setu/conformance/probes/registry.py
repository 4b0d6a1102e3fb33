"""Every probe, in the order in which they run."""

from collections.abc import Iterable

import msgspec

from setu.conformance.lab import Aim, Lab
from setu.conformance.probes import chat, clients, errors, formats, natives, parameters, proxy, sdk, tools, transport
from setu.conformance.probes.probe import Probe
from setu.conformance.stand import Stand
from setu.conformance.subject import Subject
from setu.conformance.tally import Tally
from setu.errors import AbsentError, ConnectionFailedError, DeadlineError, SetuError, SpentError

_AREAS = (transport, chat, tools, formats, parameters, errors, clients, natives, proxy, sdk)
_CAP = 512
PROBES: tuple[Probe, ...] = tuple(probe for area in _AREAS for probe in area.PROBES.all)


async def run(
    subject: Subject, aim: Aim, tally: Tally, *, stand: Stand | None = None, probes: Iterable[Probe] = PROBES
) -> None:
    """Run the probes that a subject can take, one after the other.

    Raises:
        AbsentError: nobody answers the first of them.
    """
    aim = await fed(subject, aim, stand)
    for probe in probes:
        lab = Lab(subject, aim, tally, stand=stand, name=probe.name)
        why = _unfit(probe, aim, scripted=stand is not None)
        if why is not None:
            for check in probe.checks:
                tally.unsupported.setdefault(check, why)
            continue
        try:
            await probe.run(lab)
        except SpentError as error:
            for check in probe.checks:
                lab.inconclusive(check, str(error))
        except SetuError as error:
            for check in probe.checks:
                tally.fault(check, str(error), lab.place)


async def fed(subject: Subject, aim: Aim, stand: Stand | None) -> Aim:
    """Find out whether a subject answers a chat of two members, and give it the third it may want.

    Anthropic's API wants a cap; a gateway that asks its clients for one fails one check by it (TRN-001), not all.

    Raises:
        AbsentError: nobody answers.
    """
    lab = Lab(subject, aim, Tally(), stand=stand, name="greeting")
    try:
        if (await lab.ask(lab.chat(), judged=False)).status < 400:
            return aim
        capped = await lab.ask(lab.chat(max_tokens=_CAP), judged=False)
    except (ConnectionFailedError, DeadlineError) as error:
        raise AbsentError(str(error)) from None
    except SetuError:
        return aim
    return msgspec.structs.replace(aim, always={"max_tokens": _CAP}) if capped.status < 400 else aim


def _unfit(probe: Probe, aim: Aim, *, scripted: bool) -> str | None:
    """Say why a probe is not about a subject."""
    lacks = () if aim.capabilities is None else sorted(probe.needs - aim.capabilities)
    if lacks:
        return f"the target does not declare {', '.join(lacks)}"
    if "embeddings" in probe.needs and aim.embedding is None:
        return "no model that embeds was named"
    return "it needs a scripted upstream" if probe.scripted and not scripted else None
