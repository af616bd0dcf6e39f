"""The typed settings: every key, its unit and its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

AwsSeconds = Annotated[float, Field(ge=0)]
"""Seconds of AWS time; on a clock at scale 60 they pass in a sixtieth of that."""

Port = Annotated[int, Field(ge=0, le=65535)]
"""A TCP port on the loopback interface; 0 lets the system choose a free one."""


def _as_text(value: Any) -> Any:
    """A parameter's value as text, the only type that CloudFormation accepts."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Parameter = Annotated[str, BeforeValidator(_as_text)]
"""The value of a template's parameter."""

LONGEST_STACK_NAME = 36
"""The result of `kit.backends.live.names` for the kit's template; a test compares."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stack(Section):
    """The stack under test."""

    name: str = Field(default="webordinary-integration-test", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """36 characters at most, so that CloudFormation does not truncate names derived from it."""
    template: Path | None = None
    """A CloudFormation template in place of the kit's own `integration-test-stack.yaml`."""
    parameters: dict[str, Parameter] = {}
    """Template parameters that differ from the template's defaults; numbers and booleans are converted to text."""

    @field_validator("name")
    @classmethod
    def _fits_into_the_names_of_roles(cls, name: str) -> str:
        if len(name) > LONGEST_STACK_NAME:
            raise ValueError(
                f"{len(name)} characters, and it may have {LONGEST_STACK_NAME}: CloudFormation derives the names of "
                "roles from it (<stack>-<logical id>-<random>), and IAM takes 64"
            )
        return name


class Emulated(Section):
    """The emulated cloud."""

    clock: Literal["autojump", "scaled", "real"] = "scaled"
    """How AWS time passes. "autojump": as wall time while anything works, and at once to the next timer when nothing
    does; "scaled": `scale` times as fast as wall time; "real": as wall time. Unset, it is "autojump" without a `scale`
    where the clock can watch every program: Linux, tasks as processes, only the reference system's programs, the
    base "moto", no Astro; otherwise "scaled"."""
    scale: float = Field(default=60, gt=0)
    """How much faster than the wall clock AWS time runs. Unset, it is 20 where tasks are containers: the engine takes a
    third of a second to start one, whatever the clock says. It is 5 where Astro may show the pages: the first of them
    takes seconds."""
    port: Port = 0
    """Where the AWS endpoint listens."""
    smtp_port: Port = 0
    """Where the SMTP server listens."""
    load_balancer_port: Port = 0
    """Where the stack's load balancer listens."""
    endpoint: str = Field(default="", pattern=r"^(https?://[^/]+)?$")
    """The AWS endpoint of an emulated cloud that runs elsewhere, with the stack deployed, such as docker-compose.yml's:
    it is used and left running. Empty, a cloud is started."""
    programs: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    """Image name → the program (argument vector) that runs in its place; added to the reference system's. Words
    that are files here become absolute paths; `python` is the one that runs the kit."""
    base: str = Field(default="moto", pattern=r"^(moto|localstack|https?://[^/\s?#]+/?)$")
    """The state store of the services that the emulated cloud does not implement itself: "moto" in its process,
    "localstack" in a container, or the URL of any AWS-compatible endpoint."""
    base_services: tuple[str, ...] = ()
    """The services to use of that container or endpoint, by boto3's names; empty, all of them."""
    localstack_image: str = Field(default="localstack/localstack:4.14.0", min_length=1)
    """The image of the base "localstack". Newer ones than the default require a token."""
    runtime: Literal["process", "docker"] = "process"
    """Tasks are processes of this machine, or containers of its engine (Docker, podman)."""
    volume_mib: int = Field(default=0, ge=0)
    """The size of the containers' shared file system, in MiB of the engine's memory; the fault FillVolume needs it. 0
    is the size of the engine's disk."""
    preview: Literal["auto", "astro", "builtin"] | None = None
    """What renders the reference system's pages: real Astro, a built-in renderer of a subset, or Astro if it can run.
    Unset, the built-in one. Astro takes seconds to start, so it runs at a scale of 5. Containers use the edit image's
    Astro, never this machine's."""
    seed: int | None = None
    """Seeds the cloud's ids and delays; unset, they differ from run to run."""
    latency: str | None = Field(default=None, min_length=1)
    """The latency profile, AWS's own delays (see docs/latency.md): "none", "published", or the path of a
    TOML file. Unset, none."""
    hosts: tuple[str, ...] = ()
    """Further host names under which clients address the gateway and the load balancers. Any but these, loopback's and
    those of listener rules is refused: a web page could have made it resolve to this machine."""
    insecure_keys: str = Field(default="", pattern=r"^[\w.-]*$")
    """A word, for example `test`: access key and secret of the cloud, which then takes any other key as well and
    verifies no signature. Empty, it draws a key for each run."""
    allowance: float = Field(default=20, ge=0)
    """Wall seconds added to every wait while the clock runs fast: the machine's work does not speed up."""
    start_within: float = Field(default=30, gt=0)
    """Wall seconds for the cloud to be ready; 900 when it has to pull images first."""


class LiveClock(Section):
    """AWS time at the endpoint: wall time on AWS, faster in a rehearsal."""

    scale: float = Field(default=1, gt=0)
    """AWS seconds that pass in one wall second."""
    origin: float | None = None
    """Wall epoch seconds at which AWS time and wall time were equal; needed when the scale is not 1."""
    allowance: float = Field(default=20, ge=0)
    """Wall seconds added to every wait while the clock runs fast."""


class Live(Section):
    """Real AWS, or the endpoint in the environment (AWS_ENDPOINT_URL)."""

    role: str = Field(default="", pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/.+)?$")
    """The ARN of a role to assume; empty, the credentials are used directly."""
    mail_domain: str = Field(default="", pattern=r"^([a-z0-9-]+\.)*[a-z0-9-]*$")
    """A domain verified in SES that receives mail there, as does `clients.<domain>`; empty, no mail is tested."""
    certificate: str = Field(default="", pattern=r"^(arn:aws[a-z-]*:acm:.+)?$")
    """An ACM certificate's ARN; with it the load balancer also serves HTTPS."""
    budget: float = Field(default=5, ge=0)
    """Maximum cost of a run in USD; beyond it the run is ended and cleaned up."""
    keep_on_failure: bool = False
    """Keep the stack of a failed run for inspection; it expires all the same."""
    reuse: bool = False
    """Use an existing stack of the kit and keep it, for many runs in a row."""
    expires: AwsSeconds = 14_400
    """After this time `kit janitor` may delete a run's resources, unless the run is still active."""
    clock: LiveClock = LiveClock()


class Cost(Section):
    """Cost limits, prices and publishing."""

    budget: float | None = Field(default=None, ge=0)
    """Maximum estimated cost of an emulated run in USD, as if it were live (see `live.budget`); unset, unlimited."""
    price_file: Path = Path("prices.toml")
    """Prices that override the shipped ones, written by `kit prices refresh`; it may be absent."""
    publish: Literal["live", "always", "never"] = "live"
    """Whether results are published to CloudWatch: by live runs, always, or never."""


class Timeouts(Section):
    """Budgets in AWS seconds; the defaults are the seed's targets."""

    container_ready: AwsSeconds = 60
    """Cold start: from the request to the session's own page."""
    warm: AwsSeconds = 5
    """The same with a running container."""
    session_expiry: AwsSeconds = 70
    """From the last activity to the session being expired: the minute of idle time and a buffer."""
    scale_down: AwsSeconds = 30
    """From a desired count of zero to zero tasks."""
    health: AwsSeconds = 30
    """From a running task to its healthy target."""
    file_check: AwsSeconds = 2
    """Checking a file in a container, once there is an ECS Exec session."""
    exec: AwsSeconds = 90
    """A command by ECS Exec: the agent may start a minute after its task, and EFS may show a file a minute late."""
    recovery: AwsSeconds = 120
    """From a killed container to a working one."""
    idle_shutdown: AwsSeconds = 300
    """From the last activity to zero tasks."""
    wake: AwsSeconds = 240
    """From a mail or a first request to a running Hermes: one-minute metrics, a one-minute alarm, and its start."""
    reply: AwsSeconds = 120
    """From a mail to its reply."""
    deploy: AwsSeconds = 900
    """The stack, from nothing to CREATE_COMPLETE."""
    scenario: AwsSeconds = 1800
    """One whole scenario; beyond it the scenario is ended and cleaned up."""


class TestData(Section):
    """Users and sessions of the scenarios."""

    __test__ = False

    client_id: str = Field(default="test-client", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    user: str = Field(default="test", pattern=r"^[a-z0-9]{1,32}$")
    """The first part of every test user's name; the rest is unique to the run."""
    concurrent_sessions: int = Field(default=3, ge=3, le=100)
    """Sessions that the scenario `concurrency` opens at once: one is ended, one stays in use, the rest go idle."""
    seed: int | None = None
    """Seeds the run's markers; unset, they differ from run to run."""


class Production(Section):
    """Names of the production system, which runs never touch."""

    account: str = ""
    cluster: str = ""
    services: tuple[str, ...] = ()
    sessions_table: str = ""
    endpoints: tuple[str, ...] = ()


class Settings(BaseSettings):
    """The settings of a run."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="KIT_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    mode: Literal["emulated", "live"] = "emulated"
    profile: Literal["", "webordinary"] = ""
    """A built-in set of defaults: `webordinary` is the TEST_CONFIG of the Webordinary project."""
    region: str = Field(default="us-west-2", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    account: str = Field(default="123456789012", pattern=r"^\d{12}$")
    """The account the run expects; 12 digits, in quotes."""
    aws_profile: str = ""
    """A profile of the AWS configuration, for live runs."""
    report_dir: Path = Path(".kit")
    """Where runs are kept."""
    scenarios: tuple[str, ...] = ()
    """Modules or packages of your own scenarios, such as `acme.scenarios`. `kit run` without names then runs these."""
    faults: tuple[str, ...] = ()
    """Your own faults, as `module:Class`; `faults.Class` finds them."""
    checkers: tuple[str, ...] = ()
    """Your own checkers, as `module:function`; they judge every scenario."""
    subject: str = ""
    """The system that mixes are made for, as `module:Class`; see `kit.mixes.Subject`. By default Webordinary."""
    backend: str = ""
    """A backend of your own in place of the mode's, as `module:Class` or by its name in the group `kit.backends`."""
    stack: Stack = Stack()
    emulated: Emulated = Emulated()
    images: dict[str, Annotated[str, Field(min_length=1)]] = {}
    """Image parameter of the stack, or image of its template → the local or pullable image to run instead."""
    live: Live = Live()
    cost: Cost = Cost()
    prices: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Prices that differ from the shipped ones, in USD for the units of `kit prices show`."""
    timeouts: Timeouts = Timeouts()
    test_data: TestData = TestData()
    production: Production = Production()
