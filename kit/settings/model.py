"""The settings, typed: every key there is, its unit and its default."""

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
    """A parameter's value as CloudFormation takes it, which knows texts only."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Parameter = Annotated[str, BeforeValidator(_as_text)]
"""The value of a template's parameter."""

LONGEST_STACK_NAME = 36
"""What `kit.live.names.longest` makes of the kit's own template; a test compares."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stack(Section):
    """The stack under test."""

    name: str = Field(default="webordinary-integration-test", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """36 characters at most, so that CloudFormation need not cut the names that it makes of it."""
    template: Path | None = None
    """A CloudFormation template in place of the kit's own `integration-test-stack.yaml`."""
    parameters: dict[str, Parameter] = {}
    """Template parameters that differ from the template's defaults; numbers and truth values as CloudFormation spells
    them."""

    @field_validator("name")
    @classmethod
    def _fits_into_the_names_of_roles(cls, name: str) -> str:
        if len(name) > LONGEST_STACK_NAME:
            raise ValueError(
                f"{len(name)} characters, and it may have {LONGEST_STACK_NAME}: CloudFormation makes the names of "
                "roles of it (<stack>-<logical id>-<random>), and IAM takes 64"
            )
        return name


class Emulated(Section):
    """The emulated cloud."""

    scale: float = Field(default=60, gt=0)
    """How much faster than the wall clock AWS time runs. Unset, it is 20 where tasks are containers: the engine takes a
    third of a second to start one, whatever the clock says. It is 5 where Astro may show the pages: the first of them
    takes seconds."""
    port: Port = 0
    """Where the AWS endpoint listens."""
    smtp_port: Port = 0
    """Where the SMTP door listens."""
    load_balancer_port: Port = 0
    """Where the stack's load balancer listens."""
    endpoint: str = Field(default="", pattern=r"^(https?://[^/]+)?$")
    """The AWS endpoint of an emulated cloud that runs elsewhere, with the stack deployed, such as docker-compose.yml's:
    it is used as it is, and left running. Empty, a cloud is started."""
    programs: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    """Image name → the program (argument vector) that runs in its place; added to the reference system's own. Words
    that are files here become absolute paths; `python` is the one that runs the kit."""
    base: str = Field(default="moto", pattern=r"^(moto|localstack|https?://[^/\s?#]+/?)$")
    """What holds the declared state of the services that the emulated cloud does not answer itself: "moto" in its own
    process, "localstack" in a container, or the URL of any AWS-compatible endpoint."""
    base_services: tuple[str, ...] = ()
    """The services to take from that container or endpoint, by boto3's names; empty, all it has."""
    localstack_image: str = Field(default="localstack/localstack:4.14.0", min_length=1)
    """The image of the base "localstack". Newer ones than the default demand a token."""
    runtime: Literal["process", "docker"] = "process"
    """What a container becomes: a process of this machine, or a container of its engine (Docker, podman)."""
    volume_mib: int = Field(default=0, ge=0)
    """What the shared file system of containers holds, in MiB of the engine's memory, so that it can be filled up: the
    fault FillVolume needs it. 0 is as much as the engine's disk."""
    preview: Literal["auto", "astro", "builtin"] | None = None
    """What shows the reference system's pages: real Astro, a built-in renderer of a subset, or Astro if it can run.
    Unset, it is the built-in one, in processes and in containers alike: Astro takes seconds to start, so it runs at a
    scale of 5. In containers it is the edit image's own Astro, never this machine's."""
    seed: int | None = None
    """Seeds the cloud's ids; unset, they differ from run to run."""
    allowance: float = Field(default=20, ge=0)
    """Wall seconds that every wait gets on top while the clock runs fast: the machine's own work does not speed up."""
    start_within: float = Field(default=30, gt=0)
    """Wall seconds for the cloud to be ready; 900 when it has to pull images first."""


class LiveClock(Section):
    """AWS time as the endpoint keeps it. On AWS it is the wall clock's; a rehearsal's runs faster."""

    scale: float = Field(default=1, gt=0)
    """AWS seconds that pass in one wall second."""
    origin: float | None = None
    """Wall epoch seconds at which AWS time and wall time were equal; needed when the scale is not 1."""
    allowance: float = Field(default=20, ge=0)
    """Wall seconds that every wait gets on top while the clock runs fast."""


class Live(Section):
    """Real AWS, or whatever answers at the endpoint that the environment names (AWS_ENDPOINT_URL)."""

    role: str = Field(default="", pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/.+)?$")
    """A role to assume, by its ARN; empty, the credentials are used as they are."""
    mail_domain: str = Field(default="", pattern=r"^([a-z0-9-]+\.)*[a-z0-9-]*$")
    """A domain verified in SES whose mail (and that of `clients.<domain>`) SES receives; empty, no mail is tested."""
    certificate: str = Field(default="", pattern=r"^(arn:aws[a-z-]*:acm:.+)?$")
    """An ACM certificate's ARN: the load balancer then speaks HTTPS as well."""
    budget: float = Field(default=5, ge=0)
    """USD a run may cost; beyond it, it is ended and cleaned up."""
    keep_on_failure: bool = False
    """Leave the stack of a failed run for looking around; it expires all the same."""
    reuse: bool = False
    """Use a stack of the kit's that is there, and leave it there: for many runs in a row."""
    expires: AwsSeconds = 14_400
    """After so long a run's resources may be collected by `kit janitor`, unless the run is still at work."""
    clock: LiveClock = LiveClock()


class Cost(Section):
    """What a run costs, and what it may cost."""

    budget: float | None = Field(default=None, ge=0)
    """USD an emulated run may come to if it were live (`live.budget` is the one of live runs); unset, anything."""
    price_file: Path = Path("prices.toml")
    """Prices that go before the shipped ones, as `kit prices refresh` writes them; it may be absent."""
    publish: Literal["live", "always", "never"] = "live"
    """When the run's results are published to CloudWatch: in live runs, in emulated ones as well, or never."""


class Timeouts(Section):
    """Budgets in AWS seconds; the defaults are the seed's targets."""

    container_ready: AwsSeconds = 60
    """Cold start: from the request to the session's own page."""
    warm: AwsSeconds = 5
    """The same with a container that runs."""
    session_expiry: AwsSeconds = 70
    """From the last activity to the session being expired: the minute of idle time and a buffer."""
    scale_down: AwsSeconds = 30
    """From a desired count of zero to zero tasks."""
    health: AwsSeconds = 30
    """From a running task to its healthy target."""
    file_check: AwsSeconds = 2
    """Looking for one file in a container, once there is a session of ECS Exec."""
    exec: AwsSeconds = 90
    """For a command by ECS Exec: an agent may come a minute after its task, and EFS may show a file a minute late."""
    recovery: AwsSeconds = 120
    """From a killed container to a working one."""
    idle_shutdown: AwsSeconds = 300
    """From the last activity to zero tasks."""
    wake: AwsSeconds = 240
    """From a mail or a first request to Hermes at work: one-minute metrics, a one-minute alarm, and its start."""
    reply: AwsSeconds = 120
    """From a mail to its reply."""
    deploy: AwsSeconds = 900
    """The stack, from nothing to CREATE_COMPLETE."""
    scenario: AwsSeconds = 1800
    """One whole scenario; beyond it, it is ended and cleaned up."""


class TestData(Section):
    """Whose sessions the scenarios open."""

    __test__ = False

    client_id: str = Field(default="test-client", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    user: str = Field(default="test", pattern=r"^[a-z0-9]{1,32}$")
    """The first part of every test user's name; the rest is unique to the run."""
    concurrent_sessions: int = Field(default=3, ge=3, le=100)
    """How many sessions the scenario `concurrency` opens at once: one is ended, one is used on, the rest go idle."""
    seed: int | None = None
    """Seeds the run's markers; unset, they differ from run to run."""


class Production(Section):
    """Names of the production system: known so that a run never touches them."""

    account: str = ""
    cluster: str = ""
    services: tuple[str, ...] = ()
    sessions_table: str = ""
    endpoints: tuple[str, ...] = ()


class Settings(BaseSettings):
    """Everything a run is told."""

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
    backend: str = ""
    """A backend of your own in place of the mode's, as `module:Class` or by its name in the group `kit.backends`."""
    stack: Stack = Stack()
    emulated: Emulated = Emulated()
    images: dict[str, Annotated[str, Field(min_length=1)]] = {}
    """Image parameter of the stack, or image of its template → the local or pullable image to run in its place."""
    live: Live = Live()
    cost: Cost = Cost()
    prices: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Prices that differ from the shipped ones, in USD for the units that `kit prices show` tells."""
    timeouts: Timeouts = Timeouts()
    test_data: TestData = TestData()
    production: Production = Production()
