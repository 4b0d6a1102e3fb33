"""`setu conformance` and what goes with it."""

import typer

from setu.cli.conformance import verbs
from setu.cli.conformance.run import conformance

app = typer.Typer(
    name="conformance",
    help="Judge adapters, gateways, servers and recorded traffic against the OpenAI contract.",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(conformance)
app.command("list")(verbs.listing)
app.command("explain")(verbs.explain)
app.command("prove")(verbs.prove)
app.command("diff")(verbs.diff)
app.command("rejudge")(verbs.rejudge)
