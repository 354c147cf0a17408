# The service alone, from locked packages; what the pipeline made is mounted, see compose.yaml.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY ops/requirements.lock ./
RUN python -m venv /opt/movierec && /opt/movierec/bin/pip install --no-deps --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY movierec movierec
RUN /opt/movierec/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home movierec && install --directory --owner movierec /var/lib/movierec
COPY --from=build /opt/movierec /opt/movierec
# Numba keeps what it compiles under /tmp, the one place beside the database that need be writable.
ENV PATH=/opt/movierec/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/tmp/numba \
    MOVIEREC_DATABASE_URL=sqlite:////var/lib/movierec/ratings.db
WORKDIR /srv/movierec
USER 10001
VOLUME /var/lib/movierec
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
ENTRYPOINT ["movierec"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
