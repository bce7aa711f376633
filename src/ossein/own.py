"""Code of one's own: files and modules that are imported because the user says so, and for no other reason.

Methods, recognisers, presets and readers are known once the file that registers them has been imported. No run, bundle or
store leads here: what is loaded never says what is to be executed.
"""

import hashlib
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from ossein.errors import SettingsError

_used: dict[str, tuple[str, str]] = {}
"""By the name of each module: the word it was asked for by, and a fingerprint of its text."""


def use(word: str) -> ModuleType:
    """Import a Python file or a module, so that what it registers is known; once, however often it is named.

    A file may import what lies beside it; a module is looked for in the working folder too.

    Args:
        word: The path of a Python file (FILE.py), or the dotted name of a module.

    Raises:
        SettingsError: There is no such file or module, or its code fails.
    """
    path = Path(word).resolve() if word.endswith(".py") else None
    if path and not path.is_file():
        raise SettingsError(f"--use {word}: there is no such file. Name a Python file, or a module by its dotted name.")
    name = str(path or word)
    if name not in _used:
        _find_in(path.parent if path else Path.cwd())
        try:
            module = _run(path) if path else import_module(word)
        except (Exception, SystemExit) as error:
            raise SettingsError(f"--use {word}: {_in_words(error, word)}") from error
        _used[name] = word, _fingerprint(module)
    return sys.modules[name]


def used() -> dict[str, str]:
    """The words for what `use` has imported, with the first letters of the SHA-256 of each text."""
    return dict(_used.values())


def _run(path: Path) -> ModuleType:
    """Import a file under its path, a name that no other module has."""
    spec = spec_from_file_location(str(path), path)
    assert spec is not None  # .py says which loader
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module


def _find_in(folder: Path) -> None:
    """Look for modules in a folder too, after all other places, so that it hides none of them."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _fingerprint(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)  # none where it is built in or a mere folder
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16] if file else ""


def _in_words(error: BaseException, word: str) -> str:
    if isinstance(error, ModuleNotFoundError) and f"{word}.".startswith(f"{error.name}."):
        return "there is no such module. Name a Python file (FILE.py), or a module by its dotted name."
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    told = f"{type(error).__name__}: {text}".splitlines()[0].rstrip(" :.")
    return f"{_where(error)}{told}. Mend it; with --traceback all of the error is shown."


def _where(error: BaseException) -> str:
    """The line of the imported text that failed."""
    frames = [one for one in extract_tb(error.__traceback__) if one.filename != __file__]
    own = [one.lineno for one in frames if "importlib" not in one.filename]
    if isinstance(error, SyntaxError):
        own.append(error.lineno)
    return f"line {own[0]}: " if own else ""
