# The first stage has pip and the build backend; only the finished virtual environment leaves it.
FROM python:3.12-slim AS build
WORKDIR /src

# Wheels only: there is no compiler here, and a source package would run its own code while it is built.
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ONLY_BINARY=:all:

COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/build \
 && /opt/build/bin/python -m pip install --require-hashes -r requirements-build.lock
# Without a pip of its own: the environment that runs cannot install anything.
RUN python -m venv --without-pip /opt/xiaohao \
 && /opt/build/bin/python -m pip --python /opt/xiaohao/bin/python install --require-hashes -r requirements.lock

# After the dependencies, so that a change in the code does not install them again.
COPY pyproject.toml ./
COPY service service
COPY migrations migrations
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/build/bin/python -m pip --python /opt/xiaohao/bin/python install --no-deps --no-index /wheels/*.whl


FROM python:3.12-slim

# Notices are printed with these letters; without any, a PDF would be blank.
RUN apt-get update \
 && apt-get install -y --no-install-recommends fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/*

# A fixed number, so that a volume's files can be given to the same user on the host.
RUN python -m pip uninstall --yes --root-user-action=ignore pip \
 && groupadd --gid 10001 xiaohao \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin xiaohao \
 && install -d -o xiaohao -g xiaohao -m 0700 /data

COPY --from=build /opt/xiaohao /opt/xiaohao

ENV PATH=/opt/xiaohao/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XIAOHAO_DATA_DIR=/data

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000

# No proxy: one that is set for webhooks must not be asked for the service itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/readyz', timeout=4)"]

ENTRYPOINT ["xiaohao"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
