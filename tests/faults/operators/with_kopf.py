"""The same on kopf, which runs it: `python -m kopf run`. Not imported by anything of ours."""

import os

import kopf

ANNOTATION = os.environ["OUTAGE_ANNOTATION"]


@kopf.on.event("configmaps")
def copy(body, patch, **_):
    value = (body.get("data") or {}).get("value")
    if value and (body["metadata"].get("annotations") or {}).get(ANNOTATION) != value:
        patch.metadata.annotations[ANNOTATION] = value
