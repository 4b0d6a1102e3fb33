"""`setu cassettes`: everything that is done to recordings but making and serving them."""

import typer

from setu.cli.cassettes import carry, compare, look, page, scan, tend

app = typer.Typer(
    name="cassettes",
    help="List, show, check, mend and convert recordings.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("list")(look.list_)
app.command("show")(look.show)
app.command("stats")(look.stats)
app.command("fmt")(tend.fmt)
app.command("lint")(tend.lint)
app.command("repair")(tend.repair)
app.command("retime")(tend.retime)
app.command("prune")(tend.prune)
app.command("diff")(compare.diff)
app.command("import")(carry.import_)
app.command("export")(carry.export)
app.command("html")(page.html)
app.command("scan")(scan.scan)
