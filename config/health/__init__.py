"""Tell load balancers, supervisors and alarms whether Daybreak works: /healthz and /readyz.

middleware  answers /healthz, /readyz/web and /readyz
readiness   what each of these checks
heartbeats  the signs of life of beat and of each queue's workers
"""
