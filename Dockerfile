# One image for every part: the API (the default command), worker, beat, and `flask` for the operator.
FROM python:3.12-slim AS build
COPY requirements.txt /
RUN python -m venv /opt/taskapi \
    && /opt/taskapi/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /requirements.txt

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/taskapi --create-home taskapi
COPY --from=build /opt/taskapi /opt/taskapi
WORKDIR /srv/taskapi
COPY celery_app.py ./
COPY migrations migrations
COPY worker worker
COPY taskapi taskapi
ENV PATH=/opt/taskapi/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FLASK_APP=taskapi:create_app \
    TASKAPI_ENV=production \
    TASKAPI_HOME=/var/lib/taskapi
USER taskapi
VOLUME /var/lib/taskapi
EXPOSE 7890
# The shell only fills in the settings; exec hands the signals of the container to gunicorn.
CMD ["sh", "-c", "exec gunicorn 'taskapi:create_app()' --worker-class taskapi.api.gthread.Worker --workers ${WEB_WORKERS:-2} --threads ${WEB_THREADS:-4} --bind ${SERVER_HOST:-0.0.0.0}:${SERVER_PORT:-7890} --no-control-socket"]
