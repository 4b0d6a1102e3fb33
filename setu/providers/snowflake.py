"""Snowflake Cortex's chat endpoint of an account."""

from setu.providers.record import KeySource, Provider, Variable

PROVIDER = Provider(
    name="snowflake",
    base_url="https://{account}.snowflakecomputing.com/api/v2/cortex/v1",
    dialects=("openai_chat",),
    keys=(KeySource(env="SNOWFLAKE_PAT", scheme="bearer"),),
    variables={"account": Variable(env=("SNOWFLAKE_ACCOUNT",), example="example")},
    # Thinking is asked with a `reasoning` object and comes back as `reasoning_details`.
    capabilities=frozenset({"max_completion_tokens", "reasoning", "reasoning_details", "stream_usage"}),
    owned_by="snowflake",
    docs="https://docs.snowflake.com/user-guide/snowflake-cortex/open_ai_sdk",
    read="2026-11-20",
    unconfirmed=("max_completion_tokens",),
)
