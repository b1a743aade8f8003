PYTHON ?= python3
BIN = .venv/bin

.PHONY: run test lint format stop

run: .venv/run
	@exec $(BIN)/python manage.py start

test: .venv/test
	$(BIN)/python -m pytest -n auto

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

format: .venv/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

stop:
	$(BIN)/python manage.py stop

.venv/run: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

.venv/test: .venv/run tests/requirements.txt
	$(BIN)/pip install --quiet -r tests/requirements.txt
	touch $@
