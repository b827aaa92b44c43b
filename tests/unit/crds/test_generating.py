from __future__ import annotations

import importlib.util
import sys
from typing import Any

import pytest
import yaml

from btcctl import CustomResource, ObjectKey, crd_for
from btcctl.cli.main import main
from btcctl.crds.generating import source_of
from btcctl.crds.naming import camel, class_name, field_name
from btcctl.errors import ConfigError
from btcctl.testing import FakeClient
from btcctl.typed.kinds import definition_of
from tests.known_crds import COUNT, KNOWN, TEXT, crd, struct, version


@pytest.fixture
def load(tmp_path):
    """Makes a module of generated source."""

    def loaded(source: str) -> Any:
        path = tmp_path / "generated.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location("generated", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["generated"] = module
        spec.loader.exec_module(module)
        return module

    yield loaded
    sys.modules.pop("generated", None)


def models_in(module: Any) -> dict[str, Any]:
    found = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, CustomResource)]
    return {definition_of(each).type.version: each for each in found if each is not CustomResource}


@pytest.mark.parametrize("shape", KNOWN)
def test_an_object_of_a_known_project_s_shape_survives_its_classes(shape, load):
    definition, spec = KNOWN[shape]
    models = models_in(load(source_of([definition])))
    assert {*models} == {each["name"] for each in definition["spec"]["versions"]}
    client = FakeClient(types=[definition])
    for name, model in models.items():
        resource = client.resource(model, "default" if definition_of(model).type.namespaced else "")
        body = {"metadata": {"name": name}, "spec": spec}
        as_stored = resource.untyped.create(body).body()["spec"]
        value = resource.get(ObjectKey(resource.untyped.namespace, name))
        value.metadata.labels["touched"] = "yes"
        assert resource.update(value).as_read.body()["spec"] == as_stored
        made = resource.create(model(metadata=type(value.metadata)(name=f"{name}-2"), spec=value.spec))
        assert made.spec == value.spec


@pytest.mark.parametrize("shape", KNOWN)
def test_the_classes_of_a_known_shape_make_a_definition_that_takes_the_same_objects(shape, load):
    definition, spec = KNOWN[shape]
    stored, *others = models_in(load(source_of([definition]))).values()
    again = crd_for(stored, *others)
    assert again["spec"]["scope"] == definition["spec"]["scope"]
    client = FakeClient(types=[again])
    resource = client.resource(stored, "default" if definition_of(stored).type.namespaced else "")
    as_stored = resource.untyped.create({"metadata": {"name": "a"}, "spec": spec}).body()["spec"]
    assert set(spec) <= set(as_stored)  # nothing that was said is unknown
    assert resource.list()[0].name == "a"


def test_fields_have_python_s_names_and_keep_the_server_s(load):
    spec = struct(
        "clusterIP",
        clusterIP=TEXT,
        dataDirHostPath=TEXT,
        list=TEXT,
        **{"from": TEXT, "a.b/c": COUNT, "2fa": COUNT, "clusterIp": TEXT},
    )
    module = load(source_of([crd("x.org", "Thing", "things", version("v1", spec))]))
    fields = dict(zip(module.ThingSpec.__struct_fields__, module.ThingSpec.__struct_encode_fields__, strict=True))
    assert fields == {
        "cluster_ip": "clusterIP",
        "data_dir_host_path": "dataDirHostPath",
        "list_": "list",
        "from_": "from",
        "a_b_c": "a.b/c",
        "field_2fa": "2fa",
        "cluster_ip_": "clusterIp",
    }


def test_fields_beside_the_spec_may_be_required_and_named_as_what_each_object_has(load):
    definition = crd("x.org", "Thing", "things", version("v1", struct(a=TEXT), required=False))
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"] |= {"name": TEXT, "key": COUNT}
    schema["required"] = ["name"]
    thing = load(source_of([definition])).Thing(name_="Ada", key_=1)
    thing.metadata.name = "a"
    assert (thing.name, thing.key.name) == ("a", "a")
    made = FakeClient(types=[definition]).resource(type(thing), "default").create(thing)
    assert made.as_read.body()["name"] == "Ada"


def test_what_a_version_says_of_itself_is_kept(load):
    definition = crd(
        "x.org",
        "Thing",
        "things",
        version("v2", struct(mode=TEXT), selectableFields=[{"jsonPath": ".spec.mode"}]),
        version("v1", struct(mode=TEXT), storage=False, deprecated=True, deprecationWarning="use v2"),
        version("v1beta1", struct(mode=TEXT), storage=False, deprecated=True),
    )
    again = crd_for(*models_in(load(source_of([definition]))).values())
    words = ("deprecated", "deprecationWarning", "selectableFields")
    before, after = ([{w: v.get(w) for w in words} for v in each["spec"]["versions"]] for each in (definition, again))
    assert before == after


@pytest.mark.parametrize("subresources", [{}, {"status": {}}])
def test_whether_the_status_is_written_by_itself_is_kept(load, subresources):
    one = version("v1", struct(a=TEXT), struct(b=TEXT), subresources=subresources)
    definition = crd("x.org", "Thing", "things", one)
    again = crd_for(load(source_of([definition])).Thing)
    assert again["spec"]["versions"][0].get("subresources", {}) == subresources


def test_an_embedded_resource_stays_one(load):
    embedded = {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    definition = crd("x.org", "Thing", "things", version("v1", struct("of", of=embedded)))
    again = crd_for(load(source_of([definition])).Thing)
    spec = again["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec["properties"]["of"] == embedded


def test_schemas_that_are_the_same_become_one_class():
    reference = struct("name", name=TEXT)
    source = source_of([crd("x.org", "Thing", "things", version("v1", struct(one=reference, two=reference)))])
    assert source.count("class ") == 3
    assert "two: ThingSpecOne | None = None" in source


def test_bounds_that_msgspec_does_not_know_stay_with_the_server(load):
    number = {"type": "integer", "minimum": 0.5, "maximum": 2**70}
    text = {"type": "string", "pattern": r"^\p{L}+$"}
    module = load(source_of([crd("x.org", "Thing", "things", version("v1", struct(n=number, t=text)))]))
    assert module.ThingSpec(n=-1, t="1").n == -1


def test_descriptions_are_docstrings_whatever_is_in_them(load):
    spec = {**struct(a=TEXT), "description": 'Says """so"""\\ and "so"'}
    assert "Says '''so'''" in load(source_of([crd("x.org", "Thing", "things", version("v1", spec))])).ThingSpec.__doc__


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"kind": "Pod", "metadata": {"name": "a"}}, "a is no CustomResourceDefinition"),
        (
            {"kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1beta1"},
            "without a name is no Custom",
        ),
        (
            {"kind": "CustomResourceDefinition", "apiVersion": "apiextensions.k8s.io/v1", "spec": {}},
            "is not as a Custom",
        ),
    ],
)
def test_what_is_no_definition_is_refused(body, complaint):
    with pytest.raises(ConfigError, match=complaint):
        source_of([body])


@pytest.mark.parametrize("name", ["replicas", "maxUnavailable", "clusterIP", "isCA", "x509", "sessionAffinityConfig"])
def test_a_name_in_snake_case_is_never_another_s(name):
    assert field_name(name).isidentifier()
    assert field_name(name, frozenset({field_name(name)})) != field_name(name)


def test_names_go_to_python_and_back():
    assert field_name("maxUnavailable") == "max_unavailable"
    assert camel("max_unavailable") == "maxUnavailable"
    assert field_name("IPAddresses") == "ip_addresses"
    assert class_name("foo-bar", "baz") == "FooBarBaz"


@pytest.mark.parametrize("printed", [lambda one: one, lambda one: {"kind": "List", "items": [one]}])
def test_definitions_are_read_as_kubectl_reads_and_prints_them(tmp_path, capsys, printed):
    spec = struct(op={"type": "string", "enum": ["EQUAL", "!="]}, day={"type": "string", "default": "DAY"})
    text = yaml.safe_dump(printed(crd("x.org", "Thing", "things", version("v1", spec))))
    path = tmp_path / "crd.yaml"
    path.write_text(text.replace("EQUAL", "=").replace("DAY", "2020-01-01"))
    assert main(["types", str(path)], {}) == 0
    source = capsys.readouterr().out
    assert "Literal['=', '!=']" in source
    assert "'2020-01-01'" in source


def test_the_yaml_of_a_definition_is_enough(tmp_path, capsys):
    path = tmp_path / "crd.yaml"
    path.write_text(yaml.safe_dump(crd("x.org", "Thing", "things", version("v1", struct(a=TEXT)))))
    assert main(["types", str(path)], {}) == 0
    assert "class Thing(" in capsys.readouterr().out
    path.write_text("kind: Pod")
    assert main(["types", str(path)], {}) == 2
    assert "holds no CustomResourceDefinition" in capsys.readouterr().err
