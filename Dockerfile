# syntax=docker/dockerfile:1
# The page is built with Node and left behind; what runs is Python, the pinned wheels and the page's files.
# On x86-64 the pinned torch wheel brings CUDA itself, so the image needs no CUDA base: only the host's driver and the
# NVIDIA container toolkit. For machines without a GPU pass pip the index of torch's CPU builds:
#   docker build --build-arg PIP_OPTIONS="--extra-index-url URL_OF_TORCH_CPU_WHEELS" -t khala:cpu .

FROM node:20-bookworm-slim AS page
WORKDIR /khala/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY assets /khala/assets
COPY openapi.json /khala/openapi.json
COPY frontend ./
RUN npm run build

FROM python:3.11-slim-bookworm AS wheels
ARG PIP_OPTIONS=""
COPY requirements.txt /
RUN python -m venv /khala/.venv \
    && /khala/.venv/bin/pip install --no-cache-dir --disable-pip-version-check ${PIP_OPTIONS} -r /requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 khala && mkdir -p /data/songs /data/logs /data/store /khala/checkpoints \
    && chown -R khala:khala /data
WORKDIR /khala
COPY --from=wheels /khala/.venv .venv
COPY core core
COPY models models
COPY backend backend
COPY checkpoints checkpoints
COPY --from=page /khala/frontend/dist frontend/dist
ENV PATH=/khala/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    KHALA_HOST=0.0.0.0 \
    KHALA_OUTPUT_DIR=/data/songs \
    KHALA_LOGS_DIR=/data/logs \
    KHALA_DATABASE_URL=sqlite:////data/store/khala.sqlite3
# The untrained miniature is written beside the checkpoints when there is nothing else.
RUN chown khala:khala /khala/checkpoints
USER khala
VOLUME ["/data", "/khala/checkpoints"]
EXPOSE 8889
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8889/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "backend"]
CMD ["serve", "--gpus", "0"]
