"""MCP's own words: method names, `_meta` keys, headers, error codes and the HTTP status of each."""

from collections.abc import Mapping
from types import MappingProxyType

from gateway.protocol import jsonrpc

# requests
INITIALIZE = "initialize"
PING = "ping"
DISCOVER = "server/discover"
LISTEN = "subscriptions/listen"
TOOLS_LIST = "tools/list"
TOOLS_CALL = "tools/call"
PROMPTS_LIST = "prompts/list"
PROMPTS_GET = "prompts/get"
RESOURCES_LIST = "resources/list"
RESOURCES_READ = "resources/read"
TEMPLATES_LIST = "resources/templates/list"
COMPLETE = "completion/complete"
REF_PROMPT = "ref/prompt"
REF_RESOURCE = "ref/resource"
SUBSCRIBE = "resources/subscribe"
UNSUBSCRIBE = "resources/unsubscribe"
SET_LEVEL = "logging/setLevel"
TASKS_LIST = "tasks/list"
TASKS_GET = "tasks/get"
TASKS_UPDATE = "tasks/update"
TASKS_RESULT = "tasks/result"
TASKS_CANCEL = "tasks/cancel"

# notifications
INITIALIZED = "notifications/initialized"
CANCELLED = "notifications/cancelled"
PROGRESS = "notifications/progress"
MESSAGE = "notifications/message"
TOOLS_CHANGED = "notifications/tools/list_changed"
PROMPTS_CHANGED = "notifications/prompts/list_changed"
RESOURCES_CHANGED = "notifications/resources/list_changed"
RESOURCE_UPDATED = "notifications/resources/updated"
TASK_STATUS = "notifications/tasks/status"  # 2025-11-25
TASK_TOLD = "notifications/tasks"  # SEP-2663
ELICITED = "notifications/elicitation/complete"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"

# keys of `_meta`
OWN = "io.modelcontextprotocol/"  # what those of the modern envelope begin with
CLIENT_INFO = "io.modelcontextprotocol/clientInfo"
PROTOCOL_VERSION = "io.modelcontextprotocol/protocolVersion"
CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
LOG_LEVEL = "io.modelcontextprotocol/logLevel"
SERVER_INFO = "io.modelcontextprotocol/serverInfo"
TASKS_EXTENSION = "io.modelcontextprotocol/tasks"  # among `extensions` of capabilities
SUBSCRIPTION_ID = "io.modelcontextprotocol/subscriptionId"

LOG_LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")

# headers, in the lower case in which a transport hands them over
VERSION_HEADER = "mcp-protocol-version"
METHOD_HEADER = "mcp-method"
NAME_HEADER = "mcp-name"
PARAM_HEADER = "mcp-param-"
SESSION_HEADER = "mcp-session-id"
LAST_EVENT_HEADER = "last-event-id"

NAMED_BY: Mapping[str, str] = MappingProxyType(
    {
        TOOLS_CALL: "name",
        PROMPTS_GET: "name",
        RESOURCES_READ: "uri",
        TASKS_GET: "taskId",
        TASKS_UPDATE: "taskId",
        TASKS_CANCEL: "taskId",
    }
)  # method → the param that `Mcp-Name` mirrors

CHANGED_BY: Mapping[str, str] = MappingProxyType(
    {
        TOOLS_LIST: TOOLS_CHANGED,
        PROMPTS_LIST: PROMPTS_CHANGED,
        RESOURCES_LIST: RESOURCES_CHANGED,
        TEMPLATES_LIST: RESOURCES_CHANGED,
    }
)  # method → the notification that tells that it answers otherwise now
FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "toolsListChanged": TOOLS_CHANGED,
        "promptsListChanged": PROMPTS_CHANGED,
        "resourcesListChanged": RESOURCES_CHANGED,
    }
)  # what a listen request asks for → the notification it is told by

# error codes of the specification beyond JSON-RPC's own
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022
URL_ELICITATION = -32042  # 2025-11-25 only: the user has to visit URLs first
RESOURCE_MISSING = frozenset({-32002, jsonrpc.INVALID_PARAMS})  # legacy, modern

STATUS: Mapping[int, int] = MappingProxyType(
    {
        jsonrpc.PARSE_ERROR: 400,
        jsonrpc.INVALID_REQUEST: 400,
        jsonrpc.INVALID_PARAMS: 400,
        jsonrpc.METHOD_NOT_FOUND: 404,
        HEADER_MISMATCH: 400,
        MISSING_CAPABILITY: 400,
        UNSUPPORTED_VERSION: 400,
    }
)  # of an error answered to a modern request; any other code goes out with 200
