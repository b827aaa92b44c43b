# The image of the controller.
#
#   docker build -t btcctl:0.1.0 .
ARG PYTHON_IMAGE=python:3.12-slim
FROM ${PYTHON_IMAGE} AS build

WORKDIR /src
RUN python -m venv /opt/btcctl
COPY pyproject.toml setup.cfg constraints.txt README.md LICENSE ./
COPY src src
RUN /opt/btcctl/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt .

FROM ${PYTHON_IMAGE}

COPY --from=build /opt/btcctl /opt/btcctl
ENV PATH=/opt/btcctl/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["btcctl"]
CMD ["run"]
