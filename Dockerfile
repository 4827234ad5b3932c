# The operator's image: a virtual environment from the locks, without pip, run by a numeric user on a read-only root.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements/run.txt requirements/build.txt requirements/
# The environment lies where it will lie in the image, because its scripts name their interpreter by path.
RUN python -m venv --without-pip /opt/headgate \
 && python -m pip --python /opt/headgate/bin/python install --require-hashes --only-binary :all: -r requirements/run.txt
RUN python -m pip install --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml LICENSE README.md ./
COPY operator/headgate operator/headgate
COPY examples examples
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && python -m pip --python /opt/headgate/bin/python install --no-deps --no-index dist/headgate-*.whl

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="headgate" \
      org.opencontainers.image.description="Progressive delivery of prompts, models and AI configuration to customers" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/headgate /opt/headgate
# Bytecode was compiled above; a read-only root takes none later. USER: kopf names its process by user and host, and this
# user is in no passwd file.
ENV PATH=/opt/headgate/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    USER=headgate
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["headgate"]
CMD ["run", "--config", "/etc/headgate/config.yaml", "--http", "0.0.0.0:8080"]
