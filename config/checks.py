"""Name each unsafe deployment by id, in plain words (`manage.py check --deploy`)."""
