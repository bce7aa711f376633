"""Bundles on the Hugging Face hub: fetched by name, saved in the hub's form, pushed. Files of data alone, never code.

>>> import ossein
>>> model = ossein.load("user/name")                  # doctest: +SKIP
>>> model.save_pretrained("mine")                     # doctest: +SKIP
>>> model.push_to_hub("me/mine", private=True)        # doctest: +SKIP
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from ossein.deploy.bundle import Card, load_pretrained, load_recogniser, read_card, write_bundle
from ossein.deploy.modelcard import BESIDE, write_model_card
from ossein.errors import BundleError, MissingExtra, OsseinError, SettingsError

_NAME = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w./-]+))?")


def fetch(what: str | Path) -> Path:
    """Where a run or bundle lies on this machine, whether it is named by its folder or by its name on the hub.

    What exists here wins over a name, and where there is a folder `user` here, `user/name` is taken for a path in it, and
    `user/name@main` for a name. From the hub come the bundle's two files and the card, all of one commit, into the
    hub library's cache; what was fetched before is found without a network.

    Args:
        what: A folder, or `user/name`, or `user/name@revision` with a branch, tag or commit.

    Raises:
        BundleError: The folder does not exist; the hub has no such model or revision, gives it to others only, cannot be reached, or what it has is
            no bundle.
        MissingExtra: The package `huggingface_hub` is not installed.
    """
    path = Path(what)
    found = _NAME.fullmatch(path.as_posix())
    if path.exists() or not found:
        return path
    if path.parent.is_dir() and not found["revision"]:
        raise BundleError(f"{path}: does not exist. Check the path; on the hub, call it {path.as_posix()}@main.")
    return _download(found["name"], found["revision"])


def save(what: str | Path, folder: str | Path, *, name: str | None = None) -> Path:
    """Save a finished run, of either kind, as a folder to share: bundle, model card, picture. Returns the folder.

    A `README.md` that lies beside the bundle is taken along as it is; without one, a card is written.

    Args:
        what: The run or bundle, as for `fetch`.
        folder: Where to.
        name: What the model will be called on the hub, for the examples in its card.

    Raises:
        BundleError: There is no bundle, or it is damaged.
        DataError: The folder cannot be written to.
    """
    at, card = read_card(fetch(what))
    model = (load_recogniser if card.kind == "recogniser" else load_pretrained)(at)[0]
    return _save(Path(folder), card, model, at, name)


def push(what: str | Path, name: str, *, token: str | None = None, private: bool = False) -> str:
    """Put a finished run on the hub as one commit, see `save`; makes the repository if there is none.

    Args:
        what: The run or bundle, as for `fetch`.
        name: `user/name`, or `organisation/name`.
        token: The access token; by default the one of `hf auth login` or `HF_TOKEN`.
        private: Whether a repository that has to be made is hidden from others.

    Returns:
        The address of the model's page.

    Raises:
        BundleError: There is no bundle, it is damaged, or the hub refuses it or cannot be reached.
        SettingsError: The name is not of that form.
        MissingExtra: The package `huggingface_hub` is not installed.
    """
    _check_name(name)
    with tempfile.TemporaryDirectory() as folder:
        return _upload(save(what, folder, name=name), name, token=token, private=private)


class Shareable:
    """What a loaded model can do with the hub. Its class has `model`, `card` and, where it was loaded from, `origin`."""

    model: nn.Module
    card: Card
    origin: Path | None = None

    def save_pretrained(self, folder: str | Path, *, name: str | None = None) -> Path:
        """Save the model as a folder to share: bundle, model card, picture; see `ossein.deploy.hub.save`.

        Args:
            folder: Where to.
            name: What it will be called on the hub, for the examples in its card.

        Raises:
            DataError: The folder cannot be written to.
        """
        return _save(Path(folder), self.card, self.model, self.origin, name)

    def push_to_hub(self, name: str, *, token: str | None = None, private: bool = False) -> str:
        """Put the model on the hub and return the address of its page; see `ossein.deploy.hub.push`.

        Args:
            name: `user/name`, or `organisation/name`.
            token: The access token; by default the one of `hf auth login` or `HF_TOKEN`.
            private: Whether a repository that has to be made is hidden from others.

        Raises:
            BundleError: The hub refuses it or cannot be reached.
            SettingsError: The name is not of that form.
            MissingExtra: The package `huggingface_hub` is not installed.
        """
        _check_name(name)
        with tempfile.TemporaryDirectory() as folder:
            return _upload(self.save_pretrained(folder, name=name), name, token=token, private=private)


def _save(folder: Path, card: Card, model: nn.Module, origin: Path | None, name: str | None) -> Path:
    write_bundle(folder, card, model)
    write_model_card(folder, card, origin=origin, name=name)
    return folder


def _check_name(name: str) -> None:
    found = _NAME.fullmatch(name)
    if not found or found["revision"]:
        raise SettingsError(f"'{name}' is no name on the hub. Write it as user/name or organisation/name.")


def _download(name: str, revision: str | None) -> Path:
    hub = _library()
    with _plainly(f"{name}@{revision}" if revision else name, "there is no such folder here, and "):
        card = _file(hub, name, "bundle.json", revision)
        commit = card.parent.name
        _file(hub, name, "model.safetensors", commit)
        for file in BESIDE:
            try:
                _file(hub, name, file, commit)
            except hub.errors.EntryNotFoundError:  # a bundle without a card is a bundle
                continue
    return card.parent


def _file(hub: Any, name: str, file: str, revision: str | None) -> Path:
    return Path(hub.hf_hub_download(name, file, revision=revision, library_name="ossein"))


def _upload(folder: Path, name: str, *, token: str | None, private: bool) -> str:
    hub = _library()
    with _plainly(name):
        api = hub.HfApi(token=token, library_name="ossein")
        url = str(api.create_repo(name, private=private, exist_ok=True))
        files = [
            hub.CommitOperationAdd(path_in_repo=file.name, path_or_fileobj=str(file))
            for file in sorted(folder.iterdir())
        ]
        api.create_commit(name, files, commit_message="Bundle written by ossein")
    return url


def _library() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError:
        raise MissingExtra(
            "models on the hub need the package huggingface_hub. Install it: pip install 'ossein[hub]'."
        ) from None
    return huggingface_hub


@contextmanager
def _plainly(name: str, before: str = "") -> Iterator[None]:
    """Says in our words what the hub or its library complains of."""
    errors = _library().errors
    try:
        yield
    except OsseinError:
        raise
    except errors.GatedRepoError:
        told = "the hub gives it to those alone whom its authors let in. Ask on its page, then log in: hf auth login."
    except errors.RepositoryNotFoundError:
        told = f"{before}the hub has no such model, or hides it. Check the name; see your own by hf auth login or HF_TOKEN."
    except errors.RevisionNotFoundError:
        told = "the hub has the model, but no such revision. Name a branch, a tag or a commit of it."
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled):
        told = f"{before}the hub cannot be reached. Check the path, or the network (HF_ENDPOINT, HF_HUB_OFFLINE, https_proxy)."
    except errors.EntryNotFoundError as error:
        missing = next((file for file in ("bundle.json", "model.safetensors") if file in str(error)), "a file")
        told = f"is no bundle of ossein ({missing} is missing on the hub). Name a model whose page says 'ossein'."
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        said = " ".join((error.server_message or "").split())[:200]
        told = f"the hub answers {status}{f' ({said})' if said else ''}. {_ADVICE.get(status, 'Try again later.')}"
    except ValueError as error:  # before anything is sent: a name that is none, a README.md whose head is no good
        told = f"is refused ({' '.join(str(error).split())[:300]}). Check the name, and the head of README.md."
    except Exception as error:  # the library lets through what its HTTP client raises, which differs between versions
        why = error.__cause__ or error
        told = f"the hub cannot be used ({type(why).__name__}: {' '.join(str(why).split())[:200]}). Check the network."
    else:
        return
    raise BundleError(f"{name}: {told}")


_ADVICE = {
    401: "Log in: hf auth login, or set HF_TOKEN.",
    403: "Use a token that may write there (hf auth login).",
    413: "The model is larger than the hub takes.",
}
"""What to do, by the hub's answer."""
