"""The examples of docs/planning-center.md work as they stand."""

import re
from pathlib import Path

import requests

PAGE = Path(__file__).resolve().parents[2] / "docs" / "planning-center.md"


def test_the_examples_run_against_the_practice_planning_center(simulator: str) -> None:
    told = requests.get(f"{simulator}/_simulator/organizations?people=0", timeout=10).json()
    token = (told["organizations"] if isinstance(told, dict) else told)[0]["personal_access_token"]
    names = {"base_url": simulator, "app_id": token["app_id"], "secret": token["secret"]}
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) == 5
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), names)
