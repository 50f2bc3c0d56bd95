"""The four meta-tools: tools about tools, through which an agent reaches everything else. And one
about the gateway, for operators who want it.
"""

from gateway.meta.base import AGENT_ID, MetaTool, for_agents
from gateway.meta.invoke import Invoke
from gateway.meta.list_servers import ListServers
from gateway.meta.list_tools import ListTools
from gateway.meta.search_tools import SearchFormat, SearchTools
from gateway.meta.status import Status

__all__ = [
    "AGENT_ID",
    "META_TOOLS",
    "MetaTool",
    "SearchFormat",
    "Status",
    "for_agents",
    "meta_tools",
]


def meta_tools(search_format: SearchFormat = "json") -> tuple[MetaTool, ...]:
    """In the order they are listed. To add one: write its file and name it here."""
    return (ListServers(), ListTools(), SearchTools(search_format), Invoke())


META_TOOLS = meta_tools()
