"""The file broker, when a full disk or a kill has left a file that is cut short.

Kombu's own ends the worker on such a hint, and on such a table at every start. Hints
can be lost, and the table is written when the worker starts: both are passed over.
Kombu's own also binds a queue once in a process and then trusts the table's file: where
that is gone, each hint of the process would be thrown away until it is started again.
"""

import logging
from typing import Any

from kombu.transport import filesystem

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message that can be read. Raises Empty."""
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                log.warning("A hint was cut short and is left out.")

    def get_table(self, exchange: str) -> Any:
        """The file's bindings; where it has none, those that this process made."""
        try:
            table = super().get_table(exchange)
        except ValueError:
            table = []
        return table or (self.state.exchanges or {}).get(exchange, {}).get("table", [])

    def _queue_bind(
        self, exchange: str, routing_key: str, pattern: str | None, queue: str
    ) -> None:
        try:
            super()._queue_bind(exchange, routing_key, pattern, queue)
        except ValueError:
            file = self._exchange_file(exchange)  # type: ignore[attr-defined]
            file.unlink(missing_ok=True)
            super()._queue_bind(exchange, routing_key, pattern, queue)


class Transport(filesystem.Transport):
    Channel = Channel
