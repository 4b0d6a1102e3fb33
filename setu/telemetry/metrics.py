"""Counters in Prometheus' formats; the library is imported at the first scrape."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple


class Reading(NamedTuple):
    """One metric now: a value for each set of labels."""

    name: str
    help: str
    kind: str
    values: Mapping[tuple[tuple[str, str], ...], float]


def exposition(read: Callable[[], Iterator[Reading]]) -> Callable[[str], tuple[bytes, str]]:
    """Return what renders the readings for an Accept header: the body and its media type."""

    def render(accept: str) -> tuple[bytes, str]:
        from prometheus_client import CollectorRegistry
        from prometheus_client.exposition import choose_encoder

        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(read))
        encode, media_type = choose_encoder(accept)
        return encode(registry), media_type

    return render


class _Collector:
    def __init__(self, read: Callable[[], Iterator[Reading]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for reading in self._read():
            family = CounterMetricFamily if reading.kind == "counter" else GaugeMetricFamily
            names = [name for name, _ in next(iter(reading.values), ())]
            metric = family(reading.name, reading.help, labels=names)
            for labels, value in reading.values.items():
                metric.add_metric([text for _, text in labels], value)
            yield metric
