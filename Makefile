PYTHON ?= python3
BIN = .venv/bin

# A .venv whose Python is gone (upgraded, or the folder was moved) is created again.
ifneq ($(shell $(BIN)/python -c "print('runs')" 2>/dev/null),runs)
$(shell rm -f .venv/run .venv/test)
endif

# For the benches: how many readers, and how many rounds of which the median counts.
N = 100000
ROUNDS = 3
# For bench-send and bench-scale: worker processes, each with one connection.
PROCESSES = 2
# For the fault tests: how many runs of each, every run with another random seed. CI makes one run.
SEEDS = 10

.PHONY: run test test-fast faults lint format lock messages stop \
	bench-send bench-scale bench-plan bench-distance bench-fast-lane bench-splice bench-growth \
	bench-import bench-signup bench-ranking bench-newsroom

run: .venv/run
	@exec $(BIN)/python manage.py start

test: .venv/test
	$(BIN)/python -m pytest -n auto --durations=10

# For every save: no browser, no Celery worker, no process killed or started, no fuzzing.
test-fast: .venv/test
	$(BIN)/python -m pytest -n auto -m "not (browser or worker or faults or subprocess or fuzzing)"

faults: .venv/test
	FAULT_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/faults tests/digest/editions/draft/test_dst_and_missed_ticks.py \
		--log-cli-level=INFO --log-cli-format="%(message)s"

lint: .venv/test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(BIN)/python manage.py makemigrations --check --dry-run

format: .venv/test
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

# Writes the versions and hashes of everything that is installed. Versions stay as they are, except
# of what is new or named: make lock UPGRADE="django celery"
LOCKED = requirements.txt tests/requirements.txt requirements-events.txt
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command "make lock" $(addprefix --upgrade-package ,$(UPGRADE))
lock: $(BIN)/uv
	@$(foreach name,$(UPGRADE),grep -q "^$(name)==" $(LOCKED) || \
		{ echo "No package of this name is installed: $(name)" >&2; exit 1; };)
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) --group test --constraints requirements.txt --output-file tests/requirements.txt
	$(LOCK) --group events --constraints requirements.txt --output-file requirements-events.txt
	@git --no-pager diff --unified=0 -- $(LOCKED) | \
		grep "^[+-][a-z]" || echo "No version is different from what is committed."

# Not .venv/test: a lock that pip refuses has to be made anew.
$(BIN)/uv:
	@$(MAKE) .venv/test

# Needs GNU gettext (Debian: apt-get install gettext). Afterwards translate the empty entries in
# config/locale/*/LC_MESSAGES/django.po and run it again, since it also compiles the catalogues.
messages: .venv/run
	$(BIN)/python manage.py makemessages
	$(BIN)/python manage.py compilemessages --ignore ".*" --ignore var

# Each bench measures figures of docs/delivery.md or docs/choice.md.
bench-ranking: .venv/run
	$(BIN)/python -m bench.ranking

bench-newsroom: .venv/run
	$(BIN)/python -m bench.newsroom

bench-splice: .venv/run
	$(BIN)/python -m bench.splice

stop:
	@if [ -e .venv/run ]; then exec $(BIN)/python manage.py stop; fi

bench-send: .venv/run
	$(BIN)/python -m bench.send --readers $(N) --rounds $(ROUNDS) --processes $(PROCESSES)

bench-scale: PROCESSES = 4
bench-scale: .venv/run
	$(BIN)/python -m bench.send --readers 10000 100000 1000000 --rounds $(ROUNDS) --processes $(PROCESSES)

bench-signup: .venv/run
	$(BIN)/python -m bench.signup --rounds $(ROUNDS)

bench-plan: N = 1000000
bench-plan: .venv/run
	$(BIN)/python -m bench.plan --readers $(N) --rounds $(ROUNDS)

bench-growth: N = 1000000
bench-growth: .venv/run
	$(BIN)/python -m bench.growth --readers $(N) --rounds $(ROUNDS)

bench-distance: .venv/run
	$(BIN)/python -m bench.distance --rounds $(ROUNDS)

bench-import: N = 1000000
bench-import: .venv/run
	$(BIN)/python -m bench.import_list --readers $(N) --rounds $(ROUNDS)

bench-fast-lane: .venv/run
	$(BIN)/python -m bench.fast_lane --readers $(N)

# The marker is touched last, so that a half-made .venv is never taken for a complete one.
.venv/run: requirements.txt
	@command -v $(PYTHON) >/dev/null || \
		{ echo "Daybreak needs Python 3.11 or newer, and there is no $(PYTHON)." >&2; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
		{ echo "Daybreak needs Python 3.11 or newer; name one: PYTHON=python3.12 make" >&2; exit 1; }
	@$(PYTHON) -c "import venv, ensurepip" 2>/dev/null || \
		{ echo "$(PYTHON) lacks venv; install it (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
		{ echo "Making .venv …"; $(PYTHON) -m venv --clear .venv; }
	@PYTHONUNBUFFERED=1 $(BIN)/python -P config/devserver/install.py requirements.txt
	@touch $@

.venv/test: .venv/run tests/requirements.txt
	@PYTHONUNBUFFERED=1 $(BIN)/python -P config/devserver/install.py tests/requirements.txt
	@touch $@
