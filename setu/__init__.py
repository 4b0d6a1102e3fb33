"""Setu: record, replay, conformance and a gateway for LLM APIs."""

__version__ = "0.1.0"
