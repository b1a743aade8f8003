"""Tell load balancers, supervisors and alarms whether Daybreak works: /healthz and /readyz.

middleware  answers /healthz, /readyz/web and /readyz
readiness   what each of these checks
heartbeats  when beat and a worker of each queue were last alive
"""
