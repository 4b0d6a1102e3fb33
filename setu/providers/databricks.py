"""Databricks model serving in a workspace."""

from setu.providers.record import KeySource, Provider, Variable

PROVIDER = Provider(
    name="databricks",
    base_url="{host}/serving-endpoints",
    dialects=("openai_chat",),
    keys=(KeySource(env="DATABRICKS_TOKEN", scheme="bearer"),),
    variables={"host": Variable(env=("DATABRICKS_HOST",), example="https://example.cloud.databricks.com")},
    # Usage comes unasked, in every chunk.
    capabilities=frozenset({"top_k"}),
    families=("databricks-*",),
    owned_by="databricks",
    docs="https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference",
    unconfirmed=(
        "the page was not opened: the address is that of recorded exchanges",
        "top_k",
    ),
)
