"""Settings of networks and training from presets, TOML files and ``--set``.

Names, types, defaults and help texts come from the fields of the settings' classes.
"""

from __future__ import annotations

import argparse
import textwrap
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from napari_slicegan.core.config import NetworkConfig, TrainingConfig, shown
from napari_slicegan.core.errors import ConfigError
from napari_slicegan.core.presets import PRESETS, Preset

_FROM_THE_IMAGE = ("output", "image_channels")
_END = ("iterations", "minutes")
_LARGEST_NUMBER = 1e300  # whole numbers have no end
_TABLES: dict[str, type] = {"network": NetworkConfig, "training": TrainingConfig}
_FIELDS: dict[str, dict[str, Field[Any]]] = {
    table: {item.name: item for item in fields(config) if item.name not in _FROM_THE_IMAGE}
    for table, config in _TABLES.items()
}
_TYPES = {name: kind for config in _TABLES.values() for name, kind in get_type_hints(config).items()}


@dataclass(frozen=True)
class Request:
    """What the user asked of the settings, and nothing else.

    Attributes
    ----------
    preset : str or None
        Name of a preset, if one was named.
    changes : dict
        Values of other settings than the end.
    end : dict
        Values of `iterations` and `minutes`.
    """

    preset: str | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, args: argparse.Namespace) -> Request:
        """Collect a request from the parsed arguments; the later of these wins: file, --set, the rest.

        Raises
        ------
        ConfigError
            An unknown setting, or a value of the wrong type.
        """
        values = read_config(args.config) if args.config else {}
        values |= dict(parse_assignment(text) for text in args.set)
        if args.seed is not None:
            values["seed"] = args.seed
        for name, other in (_END, _END[::-1]):
            if getattr(args, name) is not None:
                values |= {name: getattr(args, name), other: 0}
        end = {name: values.pop(name) for name in _END if name in values}
        return cls(args.preset, values, end)

    def applied_to(self, preset: Preset) -> tuple[NetworkConfig, TrainingConfig]:
        """The preset's settings with all that was asked for.

        Raises
        ------
        ConfigError
            The settings cannot work.
        """
        network = {name: v for name, v in self.changes.items() if name in _FIELDS["network"]}
        training = {name: v for name, v in self.changes.items() if name in _FIELDS["training"]}
        return replace(preset.network, **network), replace(preset.training, **training, **self.end)

    def differences(self, network: NetworkConfig, training: TrainingConfig) -> list[str]:
        """Names of the settings that were asked for and have another value, the end left out."""
        return [
            name
            for name, value in self.changes.items()
            if getattr(network if name in _FIELDS["network"] else training, name) != value
        ]


def parse_assignment(text: str) -> tuple[str, Any]:
    """Read ``FIELD=VALUE``; several numbers are separated by commas.

    Raises
    ------
    ConfigError
        No such setting, or a value of the wrong type.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise ConfigError(f"--set {text} has no value: write FIELD=VALUE.")
    _check_known(name, [name for names in _FIELDS.values() for name in names])
    return name, _typed(name, _numbers(name, value))


def read_config(path: str) -> dict[str, Any]:
    """Read a TOML file with the tables ``[network]`` and ``[training]``.

    Raises
    ------
    ConfigError
        No such file, no TOML, an unknown table or setting, or a value of the wrong type.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not a TOML file: {error}.") from error
    values = {}
    for table, settings in content.items():
        if table not in _FIELDS or not isinstance(settings, dict):
            raise ConfigError(f"{path} holds {table!r}: use the tables [network] and [training].")
        for name, value in settings.items():
            _check_known(name, list(_FIELDS[table]), f" in [{table}] of {path}")
            values[name] = _typed(name, value)
    return values


def settings_help() -> str:
    """A text that lists every setting with its values in the presets and its help."""
    lines = [
        "settings (--set FIELD=VALUE, several numbers as 4,4,4; or the tables [network] and",
        f"[training] of a TOML file); in brackets their values in the presets {' | '.join(PRESETS)}:",
    ]
    for table, items in _FIELDS.items():
        lines += ["", f"[{table}]"]
        for name, item in items.items():
            values = [as_text(getattr(getattr(p, table), name)) for p in PRESETS.values()]
            distinct = " | ".join(values if len(set(values)) > 1 else values[:1])
            lines.append(f"  {name} [{distinct}]")
            lines += textwrap.wrap(item.metadata["help"], 84, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines)


def as_text(value: Any) -> str:
    """A value as it is written behind ``--set FIELD=``."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _check_known(name: str, known: list[str], where: str = "") -> None:
    if name in _FROM_THE_IMAGE:
        raise ConfigError(f"{name} follows from the image and cannot be set; see --kind.")
    if name not in known:
        raise ConfigError(f"There is no setting {name!r}{where}: choose one of {', '.join(known)}.")


def _numbers(name: str, text: str) -> Any:
    """Turn text into the number or numbers that a setting wants; other text stays for `_typed`."""
    try:
        if _TYPES[name] in (int, float):
            return _TYPES[name](text)
        if get_origin(_TYPES[name]) is tuple:
            return [int(part) for part in text.strip("()[], ").split(",")]
    except ValueError:
        pass
    return text


def _typed(name: str, value: Any) -> Any:
    kind = _TYPES[name]
    if kind is int and _is_whole(value):
        return value
    if kind is float and (_is_whole(value) or isinstance(value, float)) and abs(value) < _LARGEST_NUMBER:
        return float(value)
    if get_origin(kind) is tuple and isinstance(value, list) and all(map(_is_whole, value)):
        return tuple(value)
    if _is_words(kind) and value in tuple(kind):
        return kind(value)
    raise ConfigError(f"The setting {name} is {shown(value)}: give {_wanted(kind)}.")


def _is_words(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrEnum)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _wanted(kind: Any) -> str:
    if _is_words(kind):
        return f"one of {', '.join(kind)}"
    words: Mapping[Any, str] = {int: "a whole number", float: "a number"}
    return words.get(kind, "whole numbers with commas between them")
