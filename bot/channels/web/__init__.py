"""The web channel: the chat that the service brings along, for pages and for `POST /web/say`."""

from bot.channels.web.chat import WebChat
from bot.channels.web.pictures import router as picture_router
from bot.channels.web.say import router as say_router
from bot.channels.web.send import WebChannel
from bot.channels.web.upload import router as upload_router

__all__ = ["WebChannel", "WebChat", "picture_router", "say_router", "upload_router"]
