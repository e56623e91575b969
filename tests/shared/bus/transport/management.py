"""What a test changes in a broker behind the transport's back."""

import httpx2

from tests.servers.rabbitmq import Broker


class Management:
    """The management API, in one vhost."""

    def __init__(self, broker: Broker, vhost: str) -> None:
        self._root = f"{broker.management_url}/api"
        self._vhost = vhost

    def send(self, method: str, path: str, body: object = None) -> None:
        """Change something; `{vhost}` in the path is ours."""
        url = f"{self._root}/{path.format(vhost=self._vhost)}"
        httpx2.request(method, url, json=body, trust_env=False).raise_for_status()
