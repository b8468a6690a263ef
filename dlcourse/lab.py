"""JupyterLab as `make lab` starts it: a kernel's answer reaches the browser at once.

`.jupyter/jupyter_server_config.json` names the class below. Without it a small message waits until
the browser has acknowledged the one before, which Linux puts off by up to 40 ms (Nagle's algorithm
against delayed acknowledgements, RFC 896 and RFC 1122 §4.2.3.2): a slider then lags visibly.
"""

from __future__ import annotations

import asyncio

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class PromptConnection(ZMQChannelsWebsocketConnection):
    """The server's own connection between a kernel and a browser, with TCP_NODELAY."""

    def connect(self) -> asyncio.Future[None] | None:
        """Let every message leave at once, then connect."""
        self.websocket_handler.set_nodelay(True)
        return super().connect()
