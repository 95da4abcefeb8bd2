"""The example manifests are what Kubernetes takes, and as confined as compose.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

kubernetes_validate = pytest.importorskip("kubernetes_validate")
ROOT = Path(__file__).resolve().parents[2]
VERSION = "1.30"


def manifests() -> list[Any]:
    """All documents of all files, with the file's name first in the test's."""
    folder = ROOT / "docs/operations/kubernetes"
    return [
        pytest.param(one, id=f"{path.stem}-{one['kind']}-{one['metadata']['name']}")
        for path in sorted(folder.glob("*.yaml"))
        for one in yaml.safe_load_all(path.read_text())
    ]


def pods() -> list[Any]:
    """Those that run something."""
    return [one for one in manifests() if "template" in one.values[0].get("spec", {})]


@pytest.mark.parametrize("manifest", manifests())
def test_kubernetes_takes_each_manifest(manifest):
    kubernetes_validate.validate(manifest, VERSION, strict=True)


@pytest.mark.parametrize("manifest", pods())
def test_no_container_can_gain_rights_or_write_to_its_image(manifest):
    pod = manifest["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_there_is_one_beat_that_ends_before_the_next_starts():
    (beat,) = (
        one.values[0]["spec"]
        for one in pods()
        if one.values[0]["metadata"]["labels"]["part"] == "beat"
    )
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})


def test_selectors_find_their_pods():
    for one in pods():
        spec = one.values[0]["spec"]
        if "selector" in spec:
            labels = spec["template"]["metadata"]["labels"]
            assert spec["selector"]["matchLabels"].items() <= labels.items()
