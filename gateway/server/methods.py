"""Which handler carries out which method, by era. What an era has not is not found in it."""

from collections.abc import Mapping

from gateway.protocol import mcp
from gateway.server.asked import Waiting
from gateway.server.completion import Completion
from gateway.server.levels import Levels
from gateway.server.parking import Parking
from gateway.server.prompts import Prompts
from gateway.server.resources import Resources
from gateway.server.tasks import Tasks
from gateway.server.tools import Tools
from gateway.server.views import Views


def asking(views: Views, parking: Parking) -> Mapping[str, Waiting]:
    """Those that are the same in both eras."""
    return {
        mcp.PROMPTS_GET: Prompts(views, parking).get,
        mcp.RESOURCES_READ: Resources(views, parking).read,
        mcp.COMPLETE: Completion(views).complete,
    }


def of_modern(views: Views, parking: Parking) -> Mapping[str, Waiting]:
    """Tools, and the methods of the tasks extension."""
    about = (mcp.TASKS_GET, mcp.TASKS_UPDATE, mcp.TASKS_CANCEL)
    tasks = dict.fromkeys(about, Tasks(views).of_one)
    return {mcp.TOOLS_CALL: Tools(views, parking).call, **tasks}


def of_legacy(views: Views, parking: Parking) -> Mapping[str, Waiting]:
    """Tools, and what the newest revision has no more: subscriptions by method, levels, the older
    tasks.
    """
    resources, tasks = Resources(views, parking), Tasks(views)
    about = (mcp.TASKS_GET, mcp.TASKS_RESULT, mcp.TASKS_CANCEL)
    return {
        mcp.TOOLS_CALL: tasks.begun_by(Tools(views, parking).call),
        mcp.SUBSCRIBE: resources.subscribe,
        mcp.UNSUBSCRIBE: resources.unsubscribe,
        mcp.SET_LEVEL: Levels(views).set,
        mcp.TASKS_LIST: tasks.list,
        **dict.fromkeys(about, tasks.of_one),
    }
