"""The commands that keep things: the index, collections of one's own, keys to them, and the catalogue."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app import console
from app.errors import BadInput, CatalogueInvalid


class KindOfEntry(StrEnum):
    """What the catalogue holds."""

    dataset = "dataset"
    technique = "technique"
    tutorial = "tutorial"
    cliche = "cliche"
    alternative = "alternative"


index = typer.Typer(no_args_is_help=True, help="The built index of the catalogue, and collections of your own.")
keys = typer.Typer(no_args_is_help=True, help="Who may do what over the API.")
catalogue = typer.Typer(no_args_is_help=True, help="The catalogue of what is already known.")
data = typer.Typer(no_args_is_help=True, help="What the service keeps: backups, and the steps of its database.")


@index.command("build")
def index_build(
    if_stale: Annotated[
        bool, typer.Option("--if-stale", help="Only if there is none for this catalogue and model.")
    ] = False,
    engine: Annotated[console.Engine, console.ENGINE_OPTION] = console.Engine.local,
) -> None:
    """Build the index of the catalogue's views; the old one serves until the new one is whole."""
    from app.settings import Settings  # noqa: PLC0415

    if not console.build(Settings.from_environment(), force=not if_stale, engine=engine):
        typer.echo("The index is up to date.", err=True)
    # Opened once: the model's graph and the name finder's tables come to lie beside the index, and later starts need
    # not be able to write.
    console.open_checker()


@index.command("info")
def index_info() -> None:
    """Print the index's manifest."""
    console.say(json.dumps(console.open_checker().info()["index"], ensure_ascii=False, indent=1, sort_keys=True))


NAME_OPTION = typer.Option("--collection", help="The collection's name: small letters, digits, . - _")


@index.command("add")
def index_add(
    files: Annotated[
        list[Path],
        typer.Argument(help="JSONL, CSV or Parquet files of rows (id, name, about, url), or folders of texts."),
    ],
    collection: Annotated[str, NAME_OPTION],
    engine: Annotated[console.Engine, console.ENGINE_OPTION] = console.Engine.local,
) -> None:
    """Add rows to a collection of your own; rows with an id that is there are replaced, and all others stay."""
    from app import corpus, store  # noqa: PLC0415

    held = console.collections()
    store.checked(collection)  # a wrong name is said before the files are read
    rows = corpus.rows(files)
    with console.encoder(engine, f"collection-{collection}") as encoder:
        found = held.add(collection, rows, encoder, lambda line: typer.echo(f"index: {line}", err=True))
    typer.echo(f"{collection}: {len(rows):,} rows added or replaced, {len(found):,} in all.", err=True)


@index.command("gather")
def index_gather(
    source: Annotated[str, typer.Argument(help="hub, openml, kaggle, tfds, rdatasets, sklearn or files.")],
    output: Annotated[Path, typer.Argument(help="Parquet file to write; `index add` takes it.")],
    base_url: Annotated[str, typer.Option(help="Address of a mirror; for files the file or folder to read.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows, in the source's own order.")] = None,
) -> None:
    """Read a public list of datasets into a table; broken off, it goes on where it was."""
    from app.catalogue import Catalogue  # noqa: PLC0415
    from app.harvest.gather import gather  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    gather(
        source,
        output,
        base_url=base_url,
        limit=limit,
        catalogue=Catalogue.load(Settings.from_environment().catalogue_dir),
        tell=lambda line: typer.echo(f"gather: {line}", err=True),
    )


@index.command("remove")
def index_remove(
    collection: Annotated[str, NAME_OPTION],
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of the rows to remove.")] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Delete the whole collection with all its versions.")
    ] = False,
) -> None:
    """Remove rows from a collection, or the whole of it."""
    if bool(ids) == everything:
        raise BadInput("Give either the ids to remove or --everything.")
    held = console.collections()
    if everything:
        held.drop(collection)
        typer.echo(f"{collection}: deleted.", err=True)
        return
    count = held.remove(collection, ids or [])
    typer.echo(f"{collection}: {count:,} rows removed.", err=True)


@index.command("list")
def index_list(
    collection: Annotated[str, typer.Option(help="List this collection's rows instead, a JSON object a line.")] = "",
) -> None:
    """List the collections with their rows and versions; or, to export it, the rows of one."""
    from dataclasses import asdict  # noqa: PLC0415

    held = console.collections()
    if collection:
        for row in held.open(collection).rows():
            console.say(json.dumps(asdict(row), ensure_ascii=False))
        return
    for name in held.names():
        kept = ", ".join(map(str, held.versions(name)))
        console.say(f"{name}  {len(held.open(name)):,} rows  version {held.version(name)} (kept: {kept})")


@index.command("back")
def index_back(
    collection: Annotated[str, NAME_OPTION],
    to: Annotated[int | None, typer.Option(help="The version to go to; the one before if not given.")] = None,
) -> None:
    """Go back to an earlier version of a collection, or on to a later one."""
    typer.echo(f"{collection}: version {console.collections().go_back(collection, to)}.", err=True)


@keys.command("add")
def keys_add(
    name: Annotated[str, typer.Argument(help="Whose key it is; an old one of that name ends.")],
    may: Annotated[
        list[str],
        typer.Option(help="check, search, feedback, read:COLLECTION, write:COLLECTION (* for all); may be repeated."),
    ],
    until: Annotated[str, typer.Option(help="Its last day, such as 2027-01-31; without end if not given.")] = "",
    per_minute: Annotated[
        int, typer.Option(min=0, help="Requests that it may make a minute; the service's own limit if not given.")
    ] = 0,
) -> None:
    """Make a key for the API and print it; only its hash is kept."""
    from app import keys as kept  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    console.say(kept.add(Settings.from_environment().keys_file, name, kept.rights(may), until, per_minute))


@keys.command("list")
def keys_list() -> None:
    """List the keys' names, rights and last days."""
    from app import keys as kept  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    for key in kept.load(Settings.from_environment().keys_file):
        end = f"until {key.expires}" if key.expires else "without end"
        share = f"  {key.per_minute:,} a minute" if key.per_minute else ""
        console.say(f"{key.name}  {', '.join(kept.written(key.rights))}  {end}{share}")


@keys.command("rotate")
def keys_rotate(
    name: Annotated[str, typer.Argument(help="Whose key.")],
    keep_days: Annotated[int, typer.Option(min=0, max=365, help="Days for which the old one holds, too.")] = 0,
) -> None:
    """Print another key with the same rights; the old one ends now, or after some days."""
    from app import keys as kept  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    console.say(kept.rotate(Settings.from_environment().keys_file, name, keep_days))


@keys.command("remove")
def keys_remove(name: Annotated[str, typer.Argument(help="Whose key.")]) -> None:
    """Take a key's rights away, at once."""
    from app import keys as kept  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    kept.remove(Settings.from_environment().keys_file, name)


@catalogue.command("add")
def catalogue_add(
    kind: Annotated[KindOfEntry, typer.Argument(help="What it is.")],
    file: Annotated[Path, typer.Argument(help="JSON or JSONL file of entries; - reads standard input.")] = Path("-"),
    template: Annotated[bool, typer.Option("--template", help="Print an entry to fill in, and add nothing.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an entry of the same id.")] = False,
) -> None:
    """Add entries to the catalogue: all are checked with what is there, and all are added, or none."""
    from app import admission  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    folder = Settings.from_environment().catalogue_dir
    if template:
        console.say(admission.template(kind.value, folder))
        return
    text = console.received() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    added = admission.add(kind.value, _entries(text), folder, replace=replace)
    typer.echo(f"Added: {', '.join(added)}. The next start builds the index for them.", err=True)


def _entries(text: str) -> list[dict[str, object]]:
    """Read one JSON object, a list of them, or one a line."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise BadInput("That is not JSON. Give one object, a list of objects, or one object a line.") from error
    rows = found if isinstance(found, list) else [found]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise BadInput("There is no entry in that. Give one object, a list of objects, or one object a line.")
    return rows


@catalogue.command("check")
def catalogue_check(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of the catalogue; the released one if not given.")
    ] = None,
) -> None:
    """List every line of the catalogue that breaks the field dictionary."""
    from app import catalogue as known  # noqa: PLC0415

    found = known.problems(folder)
    if found:
        raise CatalogueInvalid("\n".join(found))
    counts = known.Catalogue.load(folder).counts()
    typer.echo(", ".join(f"{count} {kind}" for kind, count in counts.items()) + ": no fault found.")


@data.command("backup")
def data_backup(
    file: Annotated[Path, typer.Argument(help="TAR file to write; it holds people's texts.")],
) -> None:
    """Put screenings, collections, keys, notes and a catalogue of one's own into a file; the service may go on."""
    from app import backup  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    for line in backup.write(Settings.from_environment(), file):
        typer.echo(line, err=True)


@data.command("restore")
def data_restore(file: Annotated[Path, typer.Argument(help="File that `data backup` wrote.")]) -> None:
    """Put a backup into an empty place, all of it or nothing; start the service behind it."""
    from app import backup  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    for line in backup.restore(Settings.from_environment(), file):
        typer.echo(line, err=True)


@data.command("migrate")
def data_migrate(
    to: Annotated[str, typer.Option(help="Step to go to, such as 0001, to go back to an earlier release.")] = "head",
) -> None:
    """Bring the database of screenings to a step; without --to to this release's, as each start does by itself."""
    from app.screenings.desk import Desk  # noqa: PLC0415
    from app.settings import Settings  # noqa: PLC0415

    before, after = Desk(Settings.from_environment()).migrate(to)
    typer.echo(f"screenings: from step {before or 'nothing'} to {after}.", err=True)
