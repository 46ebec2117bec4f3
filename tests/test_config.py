from pathlib import Path

import pytest

from verifykit.config import Config, load_config, parse_target_config
from verifykit.errors import ConfigError


def test_everything_that_can_be_configured(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        """
        [tool.verifykit]
        targets = ["pkg:Layer"]
        select = ["gradient"]
        ignore = ["parity"]
        fail-on = "warning"
        load = ["acme.checks"]
        [tool.verifykit.target."pkg:Layer"]
        init = { width = 3 }
        inputs = { x = "float[N, width]" }
        reference = "torch.nn:Linear"
        allow = { parity = "on purpose" }
        """
    )
    config = load_config(tmp_path)
    assert config.targets == ["pkg:Layer"]
    assert config.fail_on == "warning"
    assert config.target["pkg:Layer"].allow == {"parity": "on purpose"}


def test_the_nearest_file_above_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.verifykit]\ntargets = ["a:B"]\n')
    below = tmp_path / "some" / "folder"
    below.mkdir(parents=True)
    assert load_config(below).targets == ["a:B"]


def test_without_a_table_everything_is_default(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load_config(tmp_path) == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.verifykit]\nselct = []", "unknown key 'selct'.*Did you mean 'select'?"),
        ('[tool.verifykit.target."a:B"]\ninputz = {}', "target.\"a:B\".*unknown key 'inputz'.*Did you mean 'inputs'?"),
        ("[tool.verifykit]\nfail-on = 'always'", "fail-on"),
        ("[tool.verifykit]\ntargets = 'a:B'", "targets"),
        ("[tool.verifykit", "cannot be read"),
        ("[tool]\nverifykit = 3", "must be a table"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError, match=message) as raised:
        load_config(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_class_attribute_that_is_no_dict_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"must be a table or dict, not list"):
        parse_target_config([], "m:C.__verifykit__")
