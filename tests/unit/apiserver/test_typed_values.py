"""What Go's types make of a value, by either way in."""

import json

import pytest

from btcctl.apiserver.gotypes import Misfit, Pairs, convert, decode, type_of_kind

DEPLOYMENT, SECRET, LEASE = (
    type_of_kind("apps/v1", "Deployment"),
    type_of_kind("v1", "Secret"),
    type_of_kind("coordination.k8s.io/v1", "Lease"),
)

CONTAINER = "Container.spec.template.spec.containers"


def template(**container):
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", **container}]}}}}


def test_unknown_fields_are_dropped_and_told_in_the_order_of_the_document():
    body = {"z": 1, **template(imagee="i", ports=[{"containerPort": 1, "prot": "x"}]), "a": 2}
    found, problems = decode(DEPLOYMENT, body)
    here = "spec.template.spec.containers[0]"
    assert found == template(ports=[{"containerPort": 1}])
    assert problems == [f'unknown field "{each}"' for each in ("z", f"{here}.imagee", f"{here}.ports[0].prot", "a")]


def test_duplicate_fields_are_told_among_the_unknown_ones():
    text = '{"spec":{"bogus":1,"replicas":1,"replicas":2},"kind":"a","kind":"b","odd":1}'
    found, problems = decode(DEPLOYMENT, json.loads(text, object_pairs_hook=Pairs))
    assert (found["spec"], found["kind"]) == ({"replicas": 2}, "b")
    assert problems == [
        'unknown field "spec.bogus"',
        'duplicate field "spec.replicas"',
        'duplicate field "kind"',
        'unknown field "odd"',
    ]


def test_null_and_what_is_empty_are_as_good_as_absent_unless_go_writes_them():
    body = {"metadata": {"labels": {"a": None}, "annotations": {}}, "spec": {"replicas": None, "minReadySeconds": 0}}
    assert decode(DEPLOYMENT, body)[0] == {"metadata": {"labels": {"a": ""}}, "spec": {}}
    assert decode(DEPLOYMENT, {"spec": {"replicas": 0}})[0] == {"spec": {"replicas": 0}}


@pytest.mark.parametrize(
    ("body", "decoded", "converted"),
    [
        (
            {"spec": {"replicas": "three"}},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            "unrecognized type: int32",
        ),
        (
            {"spec": {"replicas": 1.5}},
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
            "cannot convert float64 to int32",
        ),
        (
            {"spec": 3},
            "json: cannot unmarshal number into Go struct field Deployment.spec of type v1.DeploymentSpec",
            "cannot restore struct from: int64",
        ),
        (
            {"metadata": {"labels": ["a"]}},
            "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
            "cannot restore map from slice",
        ),
        (
            {"metadata": {"finalizers": {}}},
            "json: cannot unmarshal object into Go struct field ObjectMeta.metadata.finalizers of type []string",
            "cannot restore slice from map",
        ),
        (
            template(image=3),
            f"json: cannot unmarshal number into Go struct field {CONTAINER}.image of type string",
            "cannot convert int64 to string",
        ),
        (
            template(imagePullPolicy=True),
            f"json: cannot unmarshal bool into Go struct field {CONTAINER}.imagePullPolicy of type v1.PullPolicy",
            "unrecognized type: string",
        ),
        (
            template(resources={"limits": {"cpu": "much"}}),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            {"metadata": {"deletionTimestamp": 3}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.deletionTimestamp of type string",
            "json: cannot unmarshal number into Go value of type string",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_the_words_of_either_way_in(body, decoded, converted):
    for read, words in ((decode, decoded), (convert, converted)):
        with pytest.raises(Misfit) as raised:
            read(DEPLOYMENT, body)
        assert str(raised.value) == words


def test_the_converter_takes_whole_floats_and_sorts_what_is_unknown():
    assert convert(DEPLOYMENT, {"spec": {"replicas": 3.0, "b": 1}, "a": 2}) == (
        {"spec": {"replicas": 3}},
        ['unknown field "a"', 'unknown field "spec.b"'],
    )


def test_quantities_and_times_get_their_canonical_form():
    body = template(resources={"requests": {"cpu": 0.5, "memory": "1024Mi"}})
    assert decode(DEPLOYMENT, body)[0] == template(resources={"requests": {"cpu": "500m", "memory": "1Gi"}})
    lease = {"spec": {"renewTime": "2026-01-01T02:00:00.000001+02:00"}}
    assert decode(LEASE, lease)[0] == {"spec": {"renewTime": "2026-01-01T00:00:00.000001Z"}}


def test_bytes_must_be_base64():
    with pytest.raises(Misfit, match="illegal base64 data at input byte 2"):
        decode(SECRET, {"data": {"a": "MQ=*"}})


def test_a_schema_may_be_a_boolean_and_hides_what_is_unknown():
    crd = type_of_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    part = {"additionalProperties": {"type": "string", "bogus": 1}, "additionalItems": True, "odd": 1}
    body = {"spec": {"versions": [{"schema": {"openAPIV3Schema": part}}]}}
    found, problems = decode(crd, body)
    assert found["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == {
        "additionalProperties": {"type": "string"},
        "additionalItems": True,
    }
    assert problems == ['unknown field "spec.versions[0].schema.openAPIV3Schema.odd"']


def test_what_is_equal_to_what_is_known_is_taken_from_it():
    known = {"metadata": {"name": "a"}, "spec": {"template": {"spec": {"containers": None}}}, "status": {"replicas": 1}}
    found, problems = decode(DEPLOYMENT, {**known, "status": {"replicas": 2, "odd": 1}}, known)
    assert found == {**known, "status": {"replicas": 2}}
    assert (found["spec"] is known["spec"], problems) == (True, ['unknown field "status.odd"'])
