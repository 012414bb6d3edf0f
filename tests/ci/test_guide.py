"""What docs/ci.md shows is what is written."""

from __future__ import annotations

import re
from pathlib import Path

import outcomes
import pytest
import yaml

import harness
from harness.report.gate import FORMATS

ROOT = Path(harness.__file__).parents[1]
GUIDE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
FORMATS_SHOWN = GUIDE.partition("## Formats")[2]


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_explained_with_a_sample_of_it(name: str) -> None:
    told = re.search(
        rf"^`{name}`: (.*?)(?=^`[\w-]+`: |\Z)", FORMATS_SHOWN, re.MULTILINE | re.DOTALL
    )
    assert told
    sample = re.search(r"```\w+\n(.*?)```", told[1], re.DOTALL)
    assert sample or name == "summary"
    written = FORMATS[name](outcomes.full()).splitlines()
    for line in sample[1].splitlines() if sample else ():
        assert line in written


def test_the_inputs_of_the_action_are_those_that_it_has() -> None:
    table = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`)?[^|]*\|", GUIDE, re.MULTILINE)
    action = yaml.safe_load((ROOT / ".github/actions/regress/action.yml").read_text())
    defaults = {name: given.get("default", "") for name, given in action["inputs"].items()}
    assert dict(table) == defaults


def test_the_recipe_for_gitlab_is_yaml_with_every_variable_quoted() -> None:
    (recipe,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    job = yaml.safe_load(recipe)["regress"]
    assert job["allow_failure"] == {"exit_codes": [5]}
    for command in job["script"]:
        assert not re.search(r'(?<!")\$', command)
