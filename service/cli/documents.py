"""What the service says of itself: its API, its settings, its states."""

import json
from typing import Annotated, Literal

import typer

from service import settings
from service.cli.terminal import cli
from service.settings import Settings
from service.workflow import figures, machine


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from service.app import create_app  # Only here, as in serving.

    document = create_app(Settings()).openapi()
    print(json.dumps(document, ensure_ascii=False, indent=2, sort_keys=False))


@cli.command("settings")
def show_settings(
    language: Annotated[Literal["en", "zh"], typer.Option(help="Language of the table.")] = "en",
) -> None:
    """Print the settings as a Markdown table."""
    print(settings.table(language), end="")


@cli.command()
def definitions(
    language: Annotated[Literal["en", "zh"], typer.Option(help="Language of the table.")] = "en",
) -> None:
    """Print what each figure counts, as a Markdown table."""
    print(figures.table(language), end="")


@cli.command()
def diagram() -> None:
    """Print the state diagram as Mermaid."""
    print(machine.mermaid(), end="")
