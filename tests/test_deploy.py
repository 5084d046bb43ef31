"""What operators load into Grafana and Prometheus asks for metrics that there are."""

import json
import re

import pytest
import yaml

from service.api.metrics import Metrics
from tests.documents import ROOT

DASHBOARD, ALERTS = ROOT / "deploy/grafana.json", ROOT / "deploy/alerts.yml"
NAME = re.compile(r"\bxiaohao_\w+")


def known() -> set[str]:
    """Every name under which a metric is exposed, with those that only appear once they have labels."""
    found = set()
    for metric in Metrics().registry.collect():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(metric.type, ("",))
        found |= {metric.name + end for end in ends}
    return found


@pytest.mark.parametrize("path", [DASHBOARD, ALERTS], ids=lambda path: path.name)
def test_every_metric_that_is_asked_for_is_there(path) -> None:
    asked = set(NAME.findall(path.read_text()))
    assert asked and asked <= known()


def test_the_dashboard_shows_every_metric() -> None:
    shown = set(NAME.findall(DASHBOARD.read_text()))
    assert {name for name in known() if not name.endswith(("_sum", "_count"))} <= shown


def test_the_dashboard_s_panels_lie_side_by_side() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert cell not in taken, (panel["title"], taken.get(cell))
            taken[cell] = panel["title"]
        assert panel["targets"] and all(target["expr"] for target in panel["targets"])


def test_every_alert_says_what_it_means() -> None:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    explained = (ROOT / "docs/deployment.md").read_text()
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}
        assert f"`{rule['alert']}`" in explained
