"""Work that is no database work: mails, files, long reports.

The row in `task_run` is the truth; dramatiq carries wake-ups, which may be lost, late or doubled without harm.

    queueing   Task, task, task_all: what an action says
    work       Work, work: what a `jobs` module says
    job        what a running task may ask for
    runs       the states of a run, as statements
    running    one try, from lease to outcome
    limits     time limits, leases kept alive
    listing    looking at runs
    sweeping   wakes what was forgotten; forgets what is done
    wake_ups   dramatiq's messages, written and read without it
    workers    dramatiq's workers, and its local broker  } import dramatiq:
    rabbit     dramatiq over RabbitMQ                    } who works, nobody else
"""
