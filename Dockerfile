# The image of the controller. `make images` builds it on Debian's Python, without a registry.
#
#   docker build -t btcctl:0.1.0 .
#
# PYTHON_IMAGE has a Python with venv; RUNTIME_IMAGE, the base of what is shipped, one of the same version at the same path.
ARG PYTHON_IMAGE=python:3.13-slim
ARG RUNTIME_IMAGE=${PYTHON_IMAGE}
FROM ${PYTHON_IMAGE} AS build

WORKDIR /src
# pip stays in an environment of its own, which is left behind.
RUN python3 -m venv /tmp/pip && python3 -m venv --without-pip /opt/btcctl
COPY pyproject.toml setup.cfg constraints.txt README.md LICENSE ./
COPY src src
RUN /tmp/pip/bin/pip --python /opt/btcctl/bin/python3 install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[tls,view]' \
    && /tmp/pip/bin/pip --python /opt/btcctl/bin/python3 check

FROM ${RUNTIME_IMAGE}

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG BASE_NAME=python:3.13-slim
ARG BASE_DIGEST=""
LABEL org.opencontainers.image.title="btcctl" \
      org.opencontainers.image.description="The Bitcoin-network operator" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE_NAME}" \
      org.opencontainers.image.base.digest="${BASE_DIGEST}"
# A base that brings a pip along.
RUN rm -rf /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip*
COPY --from=build /opt/btcctl /opt/btcctl
ENV PATH=/opt/btcctl/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["btcctl"]
CMD ["run"]
