"""`make lab`: the server takes our connection, and the connection does not hold small messages back."""

import json
from pathlib import Path
from types import SimpleNamespace

from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from traitlets.config import Config

from dlcourse.lab import PromptConnection

SETTINGS = Path(__file__).parents[2] / ".jupyter" / "jupyter_server_config.json"


def test_the_servers_settings_name_our_connection() -> None:
    app = ServerApp(config=Config(json.loads(SETTINGS.read_text("utf-8"))))
    assert app.kernel_websocket_connection_class is PromptConnection


def test_a_connection_turns_the_delay_off_before_it_connects(monkeypatch) -> None:
    order: list[object] = []
    monkeypatch.setattr(
        ZMQChannelsWebsocketConnection, "connect", lambda self: order.append("connect")
    )
    connection = PromptConnection.__new__(PromptConnection)
    handler = SimpleNamespace(set_nodelay=lambda on: order.append(on))
    monkeypatch.setattr(PromptConnection, "websocket_handler", handler)
    connection.connect()
    assert order == [True, "connect"]
