"""The hub: fetched and pushed with its own client, against a server that plays it; plain about what does not work."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hub_server import BUSY, DENIED, GATED, HIDDEN, Hub, serve

import ossein
from ossein.deploy import fetch, load_pretrained, push, read_card, save
from ossein.errors import BundleError, MissingExtra, SettingsError
from ossein.recipes.recognise import recognise

FILES = ["README.md", "bundle.json", "model.safetensors", "results.json", "skeleton.svg"]


pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's own


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that holds nothing, an empty cache, and nobody logged in."""
    from huggingface_hub import constants

    with serve(Hub()) as hub:
        # What HF_ENDPOINT, HF_HUB_CACHE, HF_TOKEN_PATH and HF_HUB_DISABLE_XET set when the library is imported.
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
        monkeypatch.chdir(tmp_path)
        yield hub


@pytest.fixture
def shared(recogniser_run: Path, tmp_path: Path) -> dict[str, bytes]:
    """The files of a model that someone shares."""
    folder = save(recogniser_run, tmp_path / "shared", name="me/penn")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_model_from_the_hub_is_the_one_that_was_shared(hub, shared, recogniser_run, fixed_store):
    hub.add("me/penn", {**shared, "evil.py": b"raise SystemExit", "pytorch_model.bin": b"evil"})
    clips = [fixed_store.clip(i) for i in (12, 15)]
    model = ossein.load("me/penn")
    assert model.predict(clips) == ossein.load(recogniser_run).predict(clips)
    folder = fetch("me/penn")
    assert sorted(file.name for file in folder.iterdir()) == FILES
    assert all((folder / name).read_bytes() == shared[name] for name in FILES)
    assert not [path for path in hub.asked if "evil" in path or ".bin" in path]


def test_a_bundle_without_a_card_is_a_bundle(hub, shared):
    hub.add("me/bare", {name: shared[name] for name in ("bundle.json", "model.safetensors")})
    assert len(list(fetch("me/bare").iterdir())) == 2


def test_all_files_are_of_one_commit(hub, shared):
    old = hub.add("me/penn", shared)
    hub.tags["v1"] = old
    new = hub.add("me/penn", {"README.md": b"changed"})
    assert (fetch("me/penn") / "README.md").read_bytes() == b"changed"
    for revision in ("v1", old):
        assert (fetch(f"me/penn@{revision}") / "README.md").read_bytes() == shared["README.md"]
    first = hub.asked.index("HEAD /me/penn/resolve/main/bundle.json")
    assert f"HEAD /me/penn/resolve/{new}/model.safetensors" in hub.asked[first:]
    assert not any("main/model.safetensors" in path for path in hub.asked)


def test_what_is_here_wins(hub, recogniser_run):
    shutil.copytree(recogniser_run / "bundle", "me/penn")
    assert fetch("me/penn") == Path("me/penn")
    assert ossein.load("me/penn").origin == Path("me/penn")
    assert not hub.asked


def test_what_was_fetched_is_found_without_a_network(hub, shared, monkeypatch):
    from huggingface_hub import constants

    hub.add("me/penn", shared)
    before = fetch("me/penn")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch("me/penn") == before


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("me/none", "me/none: there is no such folder here, and the hub has no such model, or hides it"),
        (HIDDEN, "the hub has no such model, or hides it"),
        (GATED, "gives it to those alone whom its authors let in"),
        ("me/penn@v9", "me/penn@v9: the hub has the model, but no such revision"),
        ("me/other", r"is no bundle of ossein \(bundle.json is missing on the hub\)"),
        ("me/half", r"is no bundle of ossein \(model.safetensors is missing on the hub\)"),
        (BUSY, "500|cannot be reached"),
        ("me/bad..name", "is refused"),
    ],
)
def test_what_cannot_be_had(hub, shared, name, told, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the client waits before it asks a busy server again
    hub.add("me/penn", shared)
    hub.add("me/other", {"config.json": b"{}"})
    hub.add("me/half", {"bundle.json": shared["bundle.json"]})
    with pytest.raises(BundleError, match=told) as error:
        ossein.load(name)
    assert str(error.value).startswith(name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("spoil", [{"bundle.json": b"{}"}, {"model.safetensors": b"evil"}])
def test_a_damaged_model_on_the_hub(hub, shared, spoil):
    hub.add("me/penn", {**shared, **spoil})
    with pytest.raises(BundleError, match=next(iter(spoil))):
        ossein.load("me/penn")


def test_a_folder_of_that_name_makes_it_a_path(hub, shared):
    hub.add("me/penn", shared)
    Path("me").mkdir()
    with pytest.raises(BundleError, match=r"me/penn: does not exist. Check the path; on the hub, call it me/penn@main"):
        fetch("me/penn")
    assert not hub.asked
    assert (fetch("me/penn@main") / "bundle.json").is_file()


def test_no_network(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(BundleError, match="me/penn: there is no such folder here, and the hub cannot be reached"):
        fetch("me/penn")
    with pytest.raises(BundleError, match=r"the hub cannot be used \(\w+: .*refused"):
        ossein.deploy.hub._upload(Path(), "me/penn", token="t", private=False)


def test_no_library(hub, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ossein\[hub\]'"):
        fetch("me/penn")


def test_pushed_and_loaded_again(hub, recogniser_run, fixed_store):
    model = ossein.load(recogniser_run)
    assert model.push_to_hub("me/new", token="secret", private=True) == f"{hub.url}/me/new"
    assert hub.private == {"me/new"}
    assert "Bearer secret" in hub.tokens
    (files,) = [files for _, files in hub.models["me/new"]]  # one commit
    assert sorted(files) == FILES
    for name in ("bundle.json", "model.safetensors"):
        assert files[name] == (recogniser_run / "bundle" / name).read_bytes()
    assert b'ossein.load("me/new")' in files["README.md"]
    clips = [fixed_store.clip(i) for i in (12, 15)]
    again = ossein.load("me/new")
    assert again.card == model.card
    assert again.predict(clips) == model.predict(clips)


def test_a_pretraining_pushed_and_started_from(hub, pretrained_run, fixed_store, tiny_recognise, tmp_path, monkeypatch):
    assert push(pretrained_run, "me/pre", token="secret") == f"{hub.url}/me/pre"
    assert not hub.private
    settings = tiny_recognise(fixed_store, epochs=1, steps=1)
    start = {}
    for name, origin in (("hub", Path("me/pre")), ("here", pretrained_run)):
        recognise("ssl", fixed_store, tmp_path / name, splits=["half"], pretrained=origin, settings=settings)
        start[name] = read_card(tmp_path / name)[1].data["pretrained"]
    assert start["hub"] == start["here"] is not None
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            load_pretrained(fetch("me/pre"))[0].parameters(), load_pretrained(pretrained_run)[0].parameters()
        )
    )


def test_folds_may_start_from_one_model_that_has_not_seen_their_test_clips(hub, pretrained_run, fixed_store):
    push(pretrained_run, "me/pre", token="secret")
    with pytest.raises(ossein.errors.DataError, match=r"has seen 8 of the 8 test clips"):
        recognise("ssl", fixed_store, Path("out"), splits=["a2", "half"], pretrained=Path("me/pre"))


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("new", SettingsError, "'new' is no name on the hub. Write it as user/name"),
        ("me/new@v1", SettingsError, "is no name on the hub"),
        (
            DENIED,
            BundleError,
            r"other/denied: the hub answers 403 \(.*rights to create.*\). Use a token that may write",
        ),
    ],
)
def test_what_cannot_be_pushed(hub, recogniser_run, name, kind, told):
    with pytest.raises(kind, match=told):
        push(recogniser_run, name, token="secret")
    assert name not in hub.models


def test_a_damaged_bundle_is_not_pushed(hub, recogniser_run, tmp_path):
    bundle = shutil.copytree(recogniser_run / "bundle", tmp_path / "bundle")
    (bundle / "model.safetensors").write_bytes(b"")
    with pytest.raises(BundleError, match=r"model\.safetensors: cannot be read"):
        push(bundle, "me/new", token="secret")
    assert not hub.asked


def test_saving_into_a_folder(recogniser_run, tmp_path):
    folder = ossein.load(recogniser_run).save_pretrained(tmp_path / "deep" / "saved")
    assert sorted(file.name for file in folder.iterdir()) == FILES
    assert ossein.load(folder).card == read_card(recogniser_run)[1]


def test_the_command_line(hub, cli, recogniser_run, shared, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    done = cli("push", recogniser_run, "me/typed", "--private")
    assert (done.code, done.out.strip()) == (0, f"{hub.url}/me/typed")
    assert hub.private == {"me/typed"}
    done = cli("push", recogniser_run, "typed")
    assert (done.code, done.err.startswith("ossein: 'typed' is no name on the hub")) == (1, True)
    assert "me/gone" in cli("predict", "me/gone", "file.csv").err
