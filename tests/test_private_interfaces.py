"""What Daybreak uses of libraries that do not document it still exists (docs/upgrading.md)."""

import inspect
import re
import smtplib

import anymail.exceptions
import honcho.compat
import honcho.manager
import honcho.process
import psycopg
from anymail.backends.base_requests import AnymailRequestsBackend
from anymail.backends.postmark import EmailBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from celery.worker.heartbeat import Heart
from django.contrib.admin import checks
from django.core import signing
from django.core.mail.message import MIMEMixin
from django.core.mail.utils import DNS_NAME
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.log import log_response
from django_otp.models import ThrottlingMixin
from django_otp.plugins.otp_totp.models import default_key
from gunicorn.workers.gthread import TConn, ThreadWorker
from ninja import NinjaAPI
from ninja.operation import Operation
from ninja.utils import contribute_operation_callback
from redis.commands.core import Script
from unfold import decorators, forms, utils
from unfold.sites import UnfoldAdminSite

from config import celery_app
from tests.support.paths import ROOT

TEMPLATES = ROOT / "templates"
USED = re.compile(r'\{% (?:include|component|extends) "(unfold/[^"]+|admin/[^"]+)"')


def parameters(function):
    return list(inspect.signature(function).parameters)


def test_psycopg_sends_a_prepared_statement_before_it_waits():
    assert parameters(psycopg.Cursor._execute_gen) == [
        "self", "query", "params", "prepare", "binary",
    ]  # fmt: skip
    assert parameters(psycopg.Connection.wait)[:2] == ["self", "gen"]


def test_smtplib_takes_a_socket_and_keeps_what_ehlo_said():
    assert parameters(smtplib.SMTP._get_socket) == ["self", "host", "port", "timeout"]
    client = smtplib.SMTP()
    assert (client.helo_resp, client.ehlo_resp) == (None, None)
    assert (client.esmtp_features, client.does_esmtp) == ({}, False)
    assert client.command_encoding == "ascii"
    for name in ("send", "getreply", "docmd", "login", "ehlo_or_helo_if_needed", "has_extn"):
        assert callable(getattr(client, name))
    # EHLO and AUTH go through these two, which Client replaces.
    assert "self.send(" in inspect.getsource(smtplib.SMTP.putcmd)
    assert "self.getreply()" in inspect.getsource(smtplib.SMTP.docmd)


def test_honchos_manager_can_be_taken_over():
    manager = honcho.manager.Manager()
    assert isinstance(manager._procmgr, honcho.compat.ProcessManager)
    assert (manager._processes, manager._terminating) == ({}, False)
    assert manager._process_ctor is honcho.process.Process
    assert honcho.process.Process("true")._child_ctor is honcho.process.Popen
    assert parameters(honcho.manager.Manager._start) == ["self"]
    assert parameters(honcho.compat.ProcessManager.terminate) == ["self", "pid"]
    assert {entry["rc"] for entry in honcho.manager.SIGNALS.values()}
    assert "KILL_WAIT" in inspect.getsource(honcho.manager.Manager.loop)


def test_anymails_backends_have_a_session_and_its_errors_the_answer():
    backend = EmailBackend(server_token="token", api_url="https://esp.example/")
    assert isinstance(backend, AnymailRequestsBackend)
    assert (backend.session, backend.api_url) == (None, "https://esp.example/")
    backend.open()
    assert callable(backend.session.head)
    backend.close()
    error = anymail.exceptions.AnymailRequestsAPIError("no")
    assert (error.response, error.status_code) == (None, None)


def test_templates_of_unfold_and_django_that_ours_use_exist():
    named = {name for path in TEMPLATES.rglob("*.html") for name in USED.findall(path.read_text())}
    missing = set()
    for name in named:
        try:
            get_template(name)
        except TemplateDoesNotExist:
            missing.add(name)

    assert "unfold/components/button.html" in named
    assert not missing


def test_ninja_lets_an_operation_be_wrapped():
    found = []

    def view(request):
        return None

    contribute_operation_callback(view, found.append)
    operation = NinjaAPI().get("/x")(view)
    Operation("/x", ["GET"], operation)

    assert found
    assert found[0].view_func is view


def test_axes_counts_by_querysets_and_keeps_who_tried_on_the_request():
    for name in ("get_user_attempts", "filter_user_attempts", "get_failures"):
        found = parameters(getattr(AxesDatabaseHandler, name))
        assert found == ["self", "request", "credentials"]
    assert {"axes_ip_address", "axes_credentials"} <= set(
        AxesProxyHandler.update_request.__code__.co_names
    )
    assert parameters(get_cool_off) == ["request"]


def test_otp_makes_keys_and_names_the_fields_of_its_throttling():
    assert len(default_key()) == 40
    fields = {field.name for field in ThrottlingMixin._meta.get_fields()}
    assert fields == {"throttling_failure_timestamp", "throttling_failure_count"}


def test_unfolds_site_adds_the_urls_of_a_subclass():
    assert "self.extra_urls()" in inspect.getsource(UnfoldAdminSite.get_urls)


def test_redis_scripts_are_callable():
    assert "args" in parameters(Script.__call__)


def test_unfold_finds_the_colour_of_a_label_by_what_is_shown():
    shown = utils.display_for_label("given up", "", {"given up": "danger"})

    assert "red" in shown or "danger" in shown
    assert "given up" in shown
    assert "label" in parameters(decorators.display)
    assert inspect.isclass(forms.PaginationInlineFormSet)


def test_django_has_what_it_does_not_document():
    assert signing.b62_decode(signing.b62_encode(2**63 - 1)) == 2**63 - 1
    assert inspect.isclass(MIMEMixin)
    assert DNS_NAME.get_fqdn()
    assert callable(checks.check_admin_app)
    assert callable(checks.check_dependencies)
    assert hasattr(connection.wrap_database_errors, "__enter__")


def test_the_page_on_upgrading_names_every_test_and_module_that_exists():
    page = (ROOT / "docs/upgrading.md").read_text()
    paths = re.findall(r"`((?:config|digest|subscribers|tests|templates)/[\w/.]+)`", page)

    assert len(paths) > 15
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_django_lets_a_response_say_that_it_is_in_the_log():
    assert '"_has_been_logged"' in inspect.getsource(log_response)


def test_a_connection_can_be_copied_for_another_thread():
    own = connection.copy()
    own.inc_thread_sharing()
    assert own.allow_thread_sharing
    assert own.settings_dict == connection.settings_dict
    assert ("digest", "0001_initial") in MigrationLoader(None).graph.nodes
    assert parameters(MigrationRecorder.has_table) == ["self"]


def test_gunicorns_worker_has_one_way_in_and_one_way_out_for_connections():
    assert {"sock", "cfg"} <= set(parameters(TConn.__init__))
    assert "if self.data_ready" in inspect.getsource(TConn.wait_for_data)
    assert parameters(ThreadWorker.enqueue_req) == ["self", "conn"]
    assert parameters(ThreadWorker.finish_request) == ["self", "conn", "fs"]
    run = inspect.getsource(ThreadWorker.run)
    assert "while self.alive" in run
    assert "self.nr_conns < self.worker_connections" in run
    assert "self.nr >= self.max_requests" in inspect.getsource(ThreadWorker.handle_request)


def test_celery_knows_its_queues_and_sends_a_heartbeat_to_early_receivers():
    assert list(celery_app.amqp.queues.consume_from) == ["default"]
    assert "heartbeat_sent.receivers" in inspect.getsource(Heart.__init__)
