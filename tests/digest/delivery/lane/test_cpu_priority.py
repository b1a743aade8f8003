"""A lane interrupts no process on the host while it sends, and restores the policy afterwards."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from digest.delivery.lane import cpu_priority
from digest.delivery.lane.lane import End
from tests.factories import NOW

pytestmark = pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="only Linux has it")


@pytest.mark.django_db
def test_a_lane_runs_under_sched_batch_and_its_process_does_not_afterwards(
    edition, readers, start_sending, run_lane, relay
):
    readers(3)
    start_sending()
    policies = set()

    def clock():
        policies.add(os.sched_getscheduler(0))
        return NOW

    assert run_lane(clock=clock) is End.DONE

    assert os.SCHED_BATCH in policies
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
    assert len(relay.received) == 3


@pytest.mark.parametrize("forbidden", ["sched_getscheduler", "sched_setscheduler"])
def test_a_host_that_forbids_the_call_changes_nothing(monkeypatch, forbidden):
    get_policy, calls = os.sched_getscheduler, []

    def forbid(*_):
        calls.append(forbidden)
        raise PermissionError

    monkeypatch.setattr(os, forbidden, forbid)

    with cpu_priority.batch_scheduling():
        assert get_policy(0) == os.SCHED_OTHER
    assert calls == [forbidden]


def test_a_failed_lane_restores_the_policy_of_its_process():
    @cpu_priority.batch_scheduling()
    def fail():
        policies.append(os.sched_getscheduler(0))
        raise ZeroDivisionError

    policies = []
    with pytest.raises(ZeroDivisionError):
        fail()
    assert policies == [os.SCHED_BATCH]
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_the_setting_switches_batch_scheduling_off(settings):
    settings.LANE_SCHED_BATCH = False
    with cpu_priority.batch_scheduling():
        assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_a_policy_that_the_operator_set_stays():
    def policies():
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        with cpu_priority.batch_scheduling():
            inside = os.sched_getscheduler(0)
        return inside, os.sched_getscheduler(0)

    # In a thread of its own, so that the policy ends with the thread.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(policies).result() == (os.SCHED_IDLE, os.SCHED_IDLE)
