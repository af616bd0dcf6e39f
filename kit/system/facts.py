"""Facts about the system under test: its paths, names and formats, in one place.

Scenarios state what must happen, these facts where to look. A Webordinary with other preview URLs, for example, needs
other facts, not other scenarios.
"""

from __future__ import annotations

import email.message
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Literal

from ..aws.outputs import Stack

Service = Literal["hermes", "edit"]
SERVICES: tuple[Service, Service] = ("hermes", "edit")

INITIALIZING, ACTIVE, DRAINING, EXPIRED = "initializing", "active", "draining", "expired"
OPEN = (INITIALIZING, ACTIVE, DRAINING)
"""States in which a session has, or may have, a container."""

CLIENT_INDEX = "ClientIndex"

ACTIVE_SESSIONS = "ActiveSessionCount"
"""The metric that Hermes publishes, with the dimension `Environment`."""

RECEIVED_AT = "receivedAt"
"""Attribute of a row in Hermes' mail table: when it accepted the mail, ISO 8601."""

DEFAULT_CLIENT = "test-client"
"""The client of a mail whose address names none."""

BALANCER_SERVER = "awselb/2.0"
"""The `Server` header of the load balancer's own answers, which did not reach a target."""

MOST_REPLIES = 20
"""Replies to one sender in one thread within an hour: mail loops end there."""

THREAD_ID = "threadId"
"""Attribute of a row in Hermes' mail table: the thread of the mail."""

PREVIEW_HEADER = "x-preview"
"""The response header with a page's renderer: `builtin`, or `astro` and its version."""

TARGET_COOKIE = "AWSALB"
"""The load balancer's stickiness cookie; only edit's target group is sticky."""

RULES: Mapping[str, tuple[str, ...]] = {
    "5": ("/hermes", "/hermes/*"),
    "10": ("/api/*",),
    "15": ("/session/*",),
    "20": ("/preview/*", "/_astro/*"),
    "30": ("/ws/*",),
}
"""The path patterns that each listener of the load balancer forwards, by priority."""

NO_RULE = {"statusCode": 404, "message": "No rule for this path"}
"""The fixed response for any other path."""

HOT_RELOAD_SCRIPT = "/_astro/hot-reload.js"
"""Served by edit with every renderer; a browser that loads it is notified of changes."""

HOT_RELOAD_PROTOCOL = "vite-hmr"
"""The WebSocket's subprotocol: Vite's own."""

HOT_RELOAD_LOADED = re.compile(r'src="([^"]+/(?:@vite/client|hot-reload\.js)[^"]*)"')
"""How a page loads Vite's client or its replacement."""

NOTHING_CHANGED = "nothing was changed"
"""Part of the reply to a mail whose instruction was not carried out."""

WORK_TRAILER = "Work-Id"
"""The commit trailer with the id of its job."""

_CONVERSATION = re.compile(r"Conversation ID:\s*([A-Za-z0-9-]+)")


@dataclass(frozen=True)
class System:
    """Addresses and names of the deployed system, from its stack's outputs."""

    stack: Stack

    # ---- HTTP, through the load balancer
    def activate_url(self) -> str:
        return f"{self.stack.load_balancer_url}/hermes/api/sessions/activate"

    def sessions_of_client_url(self, client_id: str) -> str:
        return f"{self.stack.load_balancer_url}/hermes/api/sessions/client/{client_id}"

    def session_action_url(self, session_id: str, action: Literal["status", "keepalive", "deactivate"]) -> str:
        return f"{self.stack.load_balancer_url}/hermes/api/sessions/{session_id}/{action}"

    def health_url(self, service: Service) -> str:
        return self.stack.load_balancer_url + {"hermes": "/hermes/health", "edit": "/api/health"}[service]

    def preview_url(self, session_id: str, page: str = "") -> str:
        """The preview of a session, or of one of its pages by its slug."""
        url = f"{self.stack.load_balancer_url}/session/{session_id}"
        return f"{url}/{page}" if page else url

    def session_health_url(self, session_id: str) -> str:
        return f"{self.preview_url(session_id)}/health"

    def url(self, path: str) -> str:
        """Any path through the load balancer."""
        return f"{self.stack.load_balancer_url}{path}"

    def hot_reload_url(self, session_id: str) -> str:
        """The WebSocket that notifies a session's browsers of changes."""
        return f"ws{self.stack.load_balancer_url.removeprefix('http')}/ws/hmr?session={session_id}"

    def work_url(self, session_id: str) -> str:
        """Where Hermes posts a session's jobs: at an edit container, through the load balancer."""
        return f"{self.stack.load_balancer_url}/api/sessions/{session_id}/work"

    # ---- ECS
    def service_name(self, service: Service) -> str:
        return {"hermes": self.stack.hermes_service_name, "edit": self.stack.edit_service_name}[service]

    def target_group_arn(self, service: Service) -> str:
        return {"hermes": self.stack.hermes_target_group_arn, "edit": self.stack.edit_target_group_arn}[service]

    def log_group(self, service: Service) -> str:
        return {"hermes": self.stack.hermes_log_group, "edit": self.stack.edit_log_group}[service]

    def container(self, service: Service) -> str:
        """The container's name in its task definition."""
        return service

    # ---- Mail
    def address_for(self, client_id: str) -> str:
        """The address for a client's mail: the stack's, with `+<client>` unless it is the default client."""
        local, _, domain = self.stack.mail_address.partition("@")
        return self.stack.mail_address if client_id == DEFAULT_CLIENT else f"{local}+{client_id}@{domain}"

    def user_address(self, user: str) -> str:
        """A test user's address; replies to it arrive in the replies queue."""
        return f"{user}@{self.stack.client_mail_domain}"

    # ---- Metrics
    def metric_dimensions(self) -> dict[str, str]:
        return {"Environment": self.stack.environment_name}


def user_of(user_id: str) -> str:
    """A user's name in the workspace: the local part of the address."""
    return user_id.partition("@")[0]


def slug(title: str) -> str:
    """The file and URL name of a page: `Test Page` → `test-page`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def add_page(title: str) -> str:
    """The scripted agent's instruction that adds a page."""
    return f'Add a new page called "{title}"'


def update_page(slug: str, text: str) -> str:
    """The scripted agent's instruction that changes the text of a page."""
    return f'Update {slug}.astro with the text "{text}"'


HEADER_FILE = "src/components/Header.astro"
HEADER_COMMIT = "Create Header component"
"""The file of `create_header`, and the start of its commit's subject."""


def create_header(text: str) -> str:
    """The scripted agent's instruction that creates a component."""
    return f'Create a components/Header.astro file with "{text}"'


def update_header(text: str) -> str:
    """The scripted agent's instruction that changes the component's text."""
    return f'Update Header.astro with "{text}"'


def create_file(path: str, text: str) -> str:
    """The scripted agent's instruction that writes any file."""
    return f'Create a {path} file with "{text}"'


def slowly(aws_seconds: float, instruction: str) -> str:
    """An instruction for which the scripted agent takes longer, by AWS seconds."""
    return f"slow {aws_seconds:g}\n{instruction}"


def project_path(client_id: str, user_id: str, file: str = "") -> str:
    """A path in a session's project for a shell in the container, whose environment has the workspace's path."""
    path = f"$WORKSPACE_PATH/{client_id}/{user_of(user_id)}/project"
    return f"{path}/{file}" if file else path


def git(project: str) -> str:
    """git in a project, for a shell in the container. ECS Exec runs as root, and git refuses to read files of another
    user unless the folder is declared safe."""
    return f'git --no-pager -c "safe.directory=*" -C "{project}"'


def page_file(title: str) -> str:
    """The file of a page, relative to the project."""
    return f"src/pages/{slug(title)}.astro"


def mail_key(message_id: str, sender: str) -> str:
    """Hermes' key of a mail. Senders choose their Message-IDs, so the sender is part of it."""
    return f"{message_id} {sender}"


def conversation_id(message: email.message.EmailMessage) -> str | None:
    """The thread id in a reply's footer, from its text or its HTML."""
    for part in message.walk():
        if part.get_content_maintype() == "text":
            found = _CONVERSATION.search(_text(part))
            if found:
                return found[1]
    return None


def body_text(message: email.message.EmailMessage) -> str:
    """All the text of a mail, plain and HTML."""
    return "\n".join(_text(part) for part in message.walk() if part.get_content_maintype() == "text")


def recipient(message: email.message.EmailMessage) -> str:
    """The bare address in `To`."""
    return parseaddr(str(message.get("To", "")))[1].lower()


def _text(part: email.message.Message) -> str:
    if isinstance(part, email.message.EmailMessage):
        return str(part.get_content())
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
