# The service with its model and its index inside; it needs no network at run time.
#
#   docker build -t originality .
#   docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 originality
#
# Another base has to be a Debian with Python 3.11 and its venv, called python: scripts/try_image makes one.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1 \
    HF_HUB_OFFLINE=1
WORKDIR /src

# The packages change seldom and come first, so that they are a layer of their own. The pins admit only the CPU build of
# torch: it is taken from wherever pip looks anyway, else from its makers' index.
COPY pyproject.toml constraints.txt ./
RUN python -m venv /opt/originality \
    && python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *p['optional-dependencies']['postgres'], *p['optional-dependencies']['otel'], sep='\n')" > requirements.txt \
    && { /opt/originality/bin/pip install --constraint constraints.txt torch \
        || /opt/originality/bin/pip install --constraint constraints.txt \
            --extra-index-url https://download.pytorch.org/whl/cpu torch; } \
    && /opt/originality/bin/pip install --constraint constraints.txt --requirement requirements.txt

# The wheel is built in an environment of its own: its tools stay out of the image.
COPY README.md LICENSE NOTICE ./
COPY app ./app
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --constraint constraints.txt hatchling \
    && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheel . \
    && /opt/originality/bin/pip install --no-deps /opt/wheel/*.whl \
    && ORIGINALITY_INDEX_DIR=/opt/index/catalogue /opt/originality/bin/originality index build


FROM ${BASE}
LABEL org.opencontainers.image.title="originality-checker" \
    org.opencontainers.image.description="Tells whether an idea for a machine-learning portfolio project is well worn" \
    org.opencontainers.image.licenses="MIT AND Apache-2.0 AND CC-BY-SA-3.0"
RUN groupadd --gid 10001 originality \
    && useradd --uid 10001 --gid originality --no-log-init --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin originality
COPY --from=build /opt/originality /opt/originality
COPY --from=build /opt/index /opt/index
COPY LICENSE NOTICE /usr/share/doc/originality-checker/
# In a container every address is its own: whoever publishes the port decides who reaches it, and whether the API asks
# for keys (ORIGINALITY_API_ACCESS=keys).
ENV PATH=/opt/originality/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORIGINALITY_INDEX_DIR=/opt/index/catalogue \
    ORIGINALITY_API_ACCESS=open \
    HF_HOME=/tmp/huggingface \
    HF_HUB_OFFLINE=1 \
    HF_DATASETS_OFFLINE=1 \
    TRANSFORMERS_OFFLINE=1
# By number, so that an orchestrator can see that it isn't root.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["originality", "serve", "--host", "0.0.0.0", "--port", "8000"]
