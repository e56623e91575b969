"""The bus: facts leave a service with `emit` and reach another with `on`.

    bus.emit(tx, AttendanceSettled(...))

    @bus.on(AttendanceSettled, batch=200)
    def accrue_donations(tx: Session, events: Sequence[AttendanceSettled]) -> None: ...

Between the two: outbox → relay → broker → inbox. Nothing is lost between commit and effect, nothing takes effect twice.
"""

from shared.bus.handlers import Handler, Subscriptions, on
from shared.bus.outbox import cancel, emit, emit_all

__all__ = ["Handler", "Subscriptions", "cancel", "emit", "emit_all", "on"]
