FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements/base.txt /tmp/base.txt
RUN /venv/bin/pip install --require-hashes -r /tmp/base.txt

FROM python:3.13-slim
RUN useradd --system --create-home --uid 10001 app
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
WORKDIR /app
COPY . .
# Collecting static files needs only a placeholder secret; the real one is set when the container starts.
RUN mkdir -p var /downloads && DEBUG=true python -m compileall -q . \
 && SECRET_KEY=only-while-building-0123456789abcdefghijklmnopqrstuvwxyz python manage.py collectstatic --noinput --verbosity 0 \
 && chown -R app var /downloads
USER app
EXPOSE 8000
CMD ["sh", "-c", "mkdir -p $PROMETHEUS_MULTIPROC_DIR && exec python -m config.serve --host 0.0.0.0"]
