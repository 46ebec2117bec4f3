from pathlib import Path

import pytest

from verifykit.config import Budgets, Config, TargetConfig, load_config, merged_budgets, parse_target_config
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
        max-slowdown = 1.2
        max-memory-ratio = 2
        max-time-exponent = { L = 1.1 }
        """
    )
    config = load_config(tmp_path)
    assert config.targets == ["pkg:Layer"]
    assert config.fail_on == "warning"
    pinned = config.target["pkg:Layer"]
    assert pinned.allow == {"parity": "on purpose"}
    assert (pinned.max_slowdown, pinned.max_memory_ratio, pinned.max_time_exponent) == (1.2, 2.0, {"L": 1.1})


def test_of_several_budgets_the_first_that_is_set_counts() -> None:
    layers = [
        TargetConfig(),
        Budgets(max_slowdown=1.5, max_time_exponent={"L": 1.0}),
        Budgets(max_slowdown=3.0, max_memory_ratio=2.0, max_time_exponent={"L": 2.0, "N": 1.2}),
    ]
    expected = Budgets(max_slowdown=1.5, max_memory_ratio=2.0, max_time_exponent={"L": 1.0, "N": 1.2})
    assert merged_budgets(layers) == expected
    assert merged_budgets([]) == Budgets()


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
        ('[tool.verifykit.target."a:B"]\nmax-slowdown = 0', r'"a:B".*Expected `float` > 0.0 - at `\$.max-slowdown`'),
        ('[tool.verifykit.target."a:B"]\nmax-slowdown = nan', r"float.*max-slowdown"),
        ('[tool.verifykit.target."a:B"]\nmax-slowdown = "fast"', r"got `str` - at `\$.max-slowdown`"),
        ('[tool.verifykit.target."a:B"]\nmax-memory-ratio = true', r"got `bool` - at `\$.max-memory-ratio`"),
        ('[tool.verifykit.target."a:B"]\nmax-time-exponent = 1.1', r"got `float` - at `\$.max-time-exponent`"),
        ('[tool.verifykit.target."a:B"]\nmax-time-exponent = {L = "linear"}', r"got `str` - at `\$.max-time-exponent"),
        ('[tool.verifykit.target."a:B"]\nmax-slowdwn = 1.2', "Did you mean 'max-slowdown'?"),
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
