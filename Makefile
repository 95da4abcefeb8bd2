# Extra usage: start with `make demo` and `make test`.
PORT ?= 8000
VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(shell command -v uv 2>/dev/null)
export PORT

.PHONY: install demo test test-steady test-peers lint format bench lock messages compilemessages clean

install: $(VENV)/.base

TOO_OLD := import sys; sys.version_info < (3, 11) and sys.exit("Extra usage needs Python 3.11 or newer; %s is %d.%d. Put a newer python3 first in PATH." % (sys.executable, *sys.version_info[:2]))

$(PYTHON):
	@python3 -c '$(TOO_OLD)'
	python3 -m venv --clear $(VENV)

# Compile bytecode now: without it, every start is three times slower, and the environment may not allow writing it later.
# An environment that an older Python left behind is made anew.
define install_lock
	@$(PYTHON) -c '$(TOO_OLD)' 2>/dev/null || { python3 -c '$(TOO_OLD)' && python3 -m venv --clear $(VENV); }
	$(if $(UV),uv pip install --quiet --python $(PYTHON) --require-hashes --compile-bytecode -r requirements/$(1).txt,\
	PYTHONDONTWRITEBYTECODE= $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$(1).txt)
	@touch $(VENV)/.$(1)
endef

$(VENV)/.base: requirements/base.txt | $(PYTHON)
	$(call install_lock,base)

$(VENV)/.test: requirements/test.txt | $(PYTHON)
	$(call install_lock,test)
	@touch $(VENV)/.base

$(VENV)/.browser: requirements/browser.txt | $(PYTHON)
	$(call install_lock,browser)
	@touch $(VENV)/.test $(VENV)/.base

.env: | $(PYTHON)
	@umask 077; printf 'SECRET_KEY=%s\nSITE_URL=http://127.0.0.1:%s\n' \
	  "$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))')" "$(PORT)" > .env
	@echo "Wrote .env with a random SECRET_KEY."

demo: $(VENV)/.base .env
	@exec $(PYTHON) -m config.demo.serve

# Includes the browser tests if Chromium is installed.
test: $(if $(shell command -v chromium 2>/dev/null),$(VENV)/.browser,$(VENV)/.test)
	@exec $(PYTHON) -m tests.run $(ARGS)

# Kills, floods and soaks for about an hour; -s, since the figures are the point.
test-steady: $(VENV)/.test
	@DATABASE_URL=sqlite:///:memory: PYTHONDONTWRITEBYTECODE= exec $(PYTHON) -m pytest -q -s -n 0 -m steady tests/steady $(ARGS)

# Real gateways and clients: LiteLLM and the SDKs from PyPI, Claude Code from npm where that is there.
PEERS := .venv-peers
CLAUDE_CODE := @anthropic-ai/claude-code@2.1.332

$(PEERS)/.peers: requirements/peers.txt
	python3 -m venv --clear $(PEERS)
	$(if $(UV),uv pip install --quiet --python $(PEERS)/bin/python --require-hashes --compile-bytecode -r $<,\
	PYTHONDONTWRITEBYTECODE= $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<)
	npm install --silent --no-fund --no-audit --prefix $(PEERS) $(CLAUDE_CODE) || echo "Without Claude Code."
	@touch $@

test-peers: $(VENV)/.test $(PEERS)/.peers
	@PEERS=1 DATABASE_URL=sqlite:///:memory: PYTHONDONTWRITEBYTECODE= exec $(PYTHON) -m pytest -q -s -n 0 -m peers tests/peers $(ARGS)

lint: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	DEBUG=true $(VENV)/bin/mypy
	$(VENV)/bin/djangofmt --check templates
	$(VENV)/bin/djangofmt check templates
	$(PYTHON) -m tests.assets

format: $(VENV)/.test
	$(VENV)/bin/ruff format .
	$(VENV)/bin/djangofmt templates
	$(PYTHON) -m tests.assets --write

bench: $(VENV)/.test
	$(PYTHON) -m tests.bench $(ARGS)

lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements/base.txt
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements/test.txt
	uv pip compile pyproject.toml --extra test --extra browser --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements/browser.txt
	uv pip compile requirements/peers.in --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements/peers.txt

messages: $(VENV)/.base
	$(PYTHON) manage.py makemessages -l ja --no-location --no-wrap --ignore '.venv*/*' --ignore 'gateways/*' --ignore 'tests/*' --ignore 'static/vendor/*'

compilemessages: $(VENV)/.base
	$(PYTHON) manage.py compilemessages -l ja --ignore '.venv/*'

clean:
	rm -rf var staticfiles .pytest_cache .ruff_cache .mypy_cache
