"""The facts of the system under test, in one place: where things are and what they are called.

Scenarios say what must happen; this says where to look. A Webordinary that shows its previews elsewhere, or is
told of its work another way, is another set of facts, not other scenarios.
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
"""A session in one of these states holds, or may hold, a container."""

STATUS_INDEX, CLIENT_INDEX = "StatusIndex", "ClientIndex"

ACTIVE_SESSIONS, PENDING_WORK = "ActiveSessionCount", "PendingWork"
"""Metrics that Hermes publishes; both carry the dimension `Environment`."""

RECEIVED_AT = "receivedAt"
"""Attribute of a row in Hermes' memory of mails: when it took the mail on, ISO 8601."""

DEFAULT_CLIENT = "test-client"
"""The client of a mail that names none in its address."""

BALANCER_SERVER = "awselb/2.0"
"""The `Server` header of an answer that the load balancer gave by itself: it never reached a target."""

PREVIEW_HEADER = "x-preview"
"""The header by which a page says what rendered it: `builtin`, or `astro` and its version."""

TARGET_COOKIE = "AWSALB"
"""The load balancer's cookie that binds a client to one target; only edit's target group is sticky."""

RULES: Mapping[str, tuple[str, ...]] = {
    "5": ("/hermes", "/hermes/*"),
    "10": ("/api/*",),
    "15": ("/session/*",),
    "20": ("/preview/*", "/_astro/*"),
    "30": ("/ws/*",),
}
"""What each listener of the load balancer forwards: path patterns by priority."""

NO_RULE = {"statusCode": 404, "message": "No rule for this path"}
"""The body of the fixed response for any other path."""

HOT_RELOAD_SCRIPT = "/_astro/hot-reload.js"
"""What edit serves below `/_astro/` whatever its pages are made with; a browser that loads it hears of changes."""

HOT_RELOAD_PROTOCOL = "vite-hmr"
"""The WebSocket's subprotocol: Vite's own."""

HOT_RELOAD_LOADED = re.compile(r'src="([^"]+/(?:@vite/client|hot-reload\.js)[^"]*)"')
"""How a page loads Vite's client, or the script in its place."""

NOTHING_CHANGED = "nothing was changed"
"""Words of the reply to a mail whose instruction was not carried out."""

WORK_TRAILER = "Work-Id"
"""The trailer of a commit that names the work it was made for."""

_CONVERSATION = re.compile(r"Conversation ID:\s*([A-Za-z0-9-]+)")


@dataclass(frozen=True)
class System:
    """Where the deployed system keeps what, from its stack's outputs."""

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
        """The preview of a session, or of one of its pages (its slug)."""
        url = f"{self.stack.load_balancer_url}/session/{session_id}"
        return f"{url}/{page}" if page else url

    def session_health_url(self, session_id: str) -> str:
        return f"{self.preview_url(session_id)}/health"

    def url(self, path: str) -> str:
        """Any path through the load balancer."""
        return f"{self.stack.load_balancer_url}{path}"

    def hot_reload_url(self, session_id: str) -> str:
        """The WebSocket on which a session's browsers are told of changes."""
        return f"ws{self.stack.load_balancer_url.removeprefix('http')}/ws/hmr?session={session_id}"

    def work_url(self, session_id: str) -> str:
        """Where Hermes posts work for a session: a request to an edit container, through the load balancer."""
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
        """Where a client's mail goes: the stack's address, with the client in it when it is not the default."""
        local, _, domain = self.stack.mail_address.partition("@")
        return self.stack.mail_address if client_id == DEFAULT_CLIENT else f"{local}+{client_id}@{domain}"

    def user_address(self, user: str) -> str:
        """An address whose mail comes back to the tests: replies to it land in the replies queue."""
        return f"{user}@{self.stack.client_mail_domain}"

    # ---- Metrics
    def metric_dimensions(self) -> dict[str, str]:
        return {"Environment": self.stack.environment_name}


def user_of(user_id: str) -> str:
    """The name a user has in the workspace: the local part of the address."""
    return user_id.partition("@")[0]


def slug(title: str) -> str:
    """The file and URL name of a page: `Test Page` → `test-page`."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def add_page(title: str) -> str:
    """The instruction that adds a page, in the scripted agent's grammar."""
    return f'Add a new page called "{title}"'


def update_page(slug: str, text: str) -> str:
    """The instruction that gives a page another text, in the scripted agent's grammar."""
    return f'Update {slug}.astro with the text "{text}"'


HEADER_FILE = "src/components/Header.astro"
HEADER_COMMIT = "Create Header component"
"""The file of `create_header`, and how the subject of its commit begins."""


def create_header(text: str) -> str:
    """The instruction that makes a component, in the scripted agent's grammar."""
    return f'Create a components/Header.astro file with "{text}"'


def update_header(text: str) -> str:
    """The instruction that gives that component another text, in the scripted agent's grammar."""
    return f'Update Header.astro with "{text}"'


def create_file(path: str, text: str) -> str:
    """The instruction that writes any file, in the scripted agent's grammar."""
    return f'Create a {path} file with "{text}"'


def slowly(aws_seconds: float, instruction: str) -> str:
    """An instruction for which the agent takes so much longer, in the scripted agent's grammar."""
    return f"slow {aws_seconds:g}\n{instruction}"


def project_path(client_id: str, user_id: str, file: str = "") -> str:
    """A path in a session's project, for a shell in the container: the workspace's own place is its environment's."""
    path = f"$WORKSPACE_PATH/{client_id}/{user_of(user_id)}/project"
    return f"{path}/{file}" if file else path


def git(project: str) -> str:
    """git in a project, for a shell in the container. ECS Exec enters as root, the files are the container's user's:
    git would refuse to read what is somebody else's."""
    return f'git --no-pager -c "safe.directory=*" -C "{project}"'


def page_file(title: str) -> str:
    """The file of a page, from the project's root."""
    return f"src/pages/{slug(title)}.astro"


def mail_key(message_id: str, sender: str) -> str:
    """The key under which Hermes remembers a mail: a Message-ID is the sender's to choose, so it takes both."""
    return f"{message_id} {sender}"


def conversation_id(message: email.message.EmailMessage) -> str | None:
    """The thread that a reply names in its footer, from its text or its HTML."""
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
