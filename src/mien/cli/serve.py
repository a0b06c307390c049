"""`mien serve`: the HTTP service and its keys."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mien.authentication import Store
from mien.cli.console import stdout_console
from mien.cli.exits import EXIT_CODES, ExitCode, reporting, say
from mien.cli.gallery import DEFAULT, GalleryOption
from mien.cli.options import MinFaceOption, ModelOption, ProvidersOption, ThreadsOption
from mien.errors import ServiceError
from mien.gallery.companions import service_file
from mien.server import Limits, Listening, Role, Settings, create_app
from mien.server import serve as run_service
from mien.server.key_store import KeyStore

serve = typer.Typer(add_completion=False, rich_markup_mode=None, epilog=EXIT_CODES)
keys = typer.Typer(rich_markup_mode=None, no_args_is_help=True, epilog=EXIT_CODES, help="API keys of the service.")

_LIMITS = Limits()


@serve.callback(invoke_without_command=True, epilog=EXIT_CODES)
def run(
    context: typer.Context,
    file: GalleryOption = DEFAULT,
    host: Annotated[str, typer.Option("--host", help="Address to listen at; others than localhost need a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8000,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="PEM", exists=True, help="The certificate and its chain.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="PEM", exists=True, help="Its key.")] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="A JSON object with fields of challenges' policy.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes, each with the model in memory.")] = 1,
    body: Annotated[int, typer.Option("--max-body", min=1, help="Bytes of a request's body.")] = _LIMITS.body,
    pixels: Annotated[int, typer.Option("--max-pixels", min=1, help="Pixels of a photo.")] = _LIMITS.pixels,
    rate: Annotated[
        float, typer.Option("--rate", min=0.01, help="Requests a second and key, or address; in each process.")
    ] = _LIMITS.rate,
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, help="Requests in work at the same time.")
    ] = _LIMITS.concurrency,
    queue: Annotated[int, typer.Option("--queue", min=1, help="Photos that may wait.")] = _LIMITS.queue,
    connections: Annotated[
        int, typer.Option("--connections", min=1, help="Connections open at the same time, in each process.")
    ] = _LIMITS.connections,
    per_address: Annotated[
        int | None,
        typer.Option(
            "--per-address", min=0, help="Of one address; 0 for any number, as behind a proxy. Default: a quarter."
        ),
    ] = None,
    min_face: MinFaceOption = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
    providers: ProvidersOption = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what was accepted. The page is at /, the API under /v1.

    On localhost no key is needed until one is made; any other address needs keys. A phone's browser gives its camera
    only to HTTPS: give --tls-cert and --tls-key, or put a proxy in front. Keys and challenges are kept beside the
    gallery, in NAME.service.db; photos are kept nowhere.
    """

    def work() -> ExitCode:
        limits = Limits(
            body=body,
            pixels=pixels,
            rate=rate,
            concurrency=concurrency,
            queue=queue,
            connections=connections,
            per_address=per_address,
        )
        settings = Settings(
            gallery=file,
            model=model,
            threads=threads,
            providers=tuple(providers or ()) or None,
            min_face=min_face,
            policy=policy,
            host=host,
            limits=limits,
        )
        run_service(settings, Listening(port=port, workers=workers, tls_cert=tls_cert, tls_key=tls_key))
        return ExitCode.DONE

    if context.invoked_subcommand is None:
        reporting("serve", work)()


def openapi() -> ExitCode:
    """Print the OpenAPI document."""
    document = create_app(Settings(gallery=DEFAULT)).openapi()
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
    return ExitCode.DONE


def add_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whom or what the key is for.")],
    role: Annotated[Role, typer.Option("--role", help="What it allows; each includes those before it.")] = Role.ANALYSE,
    file: GalleryOption = DEFAULT,
) -> ExitCode:
    """Make a key and print it, once: only its hash is kept.

    analyse: look at photos, verify, identify, challenges. enrol: list, enrol and remove people. admin: export people,
    calibrate.
    """
    with Store(service_file(file)) as store:
        text = KeyStore(store).add(name, role)
    sys.stdout.write(text + "\n")
    say("keep it now: it cannot be shown again")
    return ExitCode.DONE


def list_keys(file: GalleryOption = DEFAULT) -> ExitCode:
    """List the keys by their ids, without their secrets."""
    table = Table("id", "role", "name", "created")
    with _existing_store(file) as store:
        for key in KeyStore(store).list():
            table.add_row(key.id, key.role, key.name, f"{key.created:%Y-%m-%d %H:%M}")
    stdout_console().print(table)
    return ExitCode.DONE


def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `mien serve keys list` tells it.")],
    file: GalleryOption = DEFAULT,
) -> ExitCode:
    """Revoke a key; a running service refuses it from now on."""
    with _existing_store(file) as store:
        left = KeyStore(store).revoke(key_id)
    if not left:
        say("that was the last key: the service lets nobody in until `mien serve keys add` makes another")
    return ExitCode.DONE


def _existing_store(gallery: Path) -> Store:
    path = service_file(gallery)
    if not path.exists():
        raise ServiceError(f"{path} does not exist: no key was made for the gallery {gallery}; check the path")
    return Store(path)


for _name, _command in (("add", add_key), ("list", list_keys), ("revoke", revoke_key)):
    keys.command(_name, epilog=EXIT_CODES)(reporting(f"serve keys {_name}", _command))
serve.command("openapi", epilog=EXIT_CODES)(reporting("serve openapi", openapi))
serve.add_typer(keys, name="keys")
