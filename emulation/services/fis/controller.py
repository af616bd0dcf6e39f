"""The FIS controller.

template --StartExperiment--> ExperimentRun --> StopTask, network disruptions, waiting

https://docs.aws.amazon.com/fis/latest/APIReference/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Call, Context
from ...core.errors import AwsError, not_emulated
from ...core.pagination import paginate
from ...core.timestamps import instant
from ..controller_base import ServiceController
from .actions import KINDS, Kind, Network
from .checks import check, invalid
from .experiment_run import ExperimentRun
from .model import ENDED, Action, Experiment, Template

_MOST_RUNNING, _MOST_TEMPLATES = 5, 500
"""Quotas: concurrent experiments, experiment templates."""
_PAGE = 100


class Fis(ServiceController):
    service = "fis"

    def __init__(self, ctx: Context, network: Network) -> None:
        self._ctx = ctx
        self._network = network
        self._templates: dict[str, Template] = {}
        self._experiments: dict[str, Experiment] = {}
        self._tokens: dict[str, str] = {}
        self._tasks = BackgroundTasks(ctx.log)

    async def stop(self) -> None:
        """Cancel every experiment and end its disruptions."""
        await self._tasks.stop()

    async def create_experiment_template(self, call: Call) -> dict[str, Any]:
        params = {name: value for name, value in call.params.items() if name not in ("clientToken", "tags")}
        token = call.params["clientToken"]
        if (known := self._templates.get(self._tokens.get(token, ""))) is not None:
            return {"experimentTemplate": self._describe_template(known)}
        await check(self._ctx.aws, params)
        if len(self._templates) >= _MOST_TEMPLATES:
            raise AwsError(
                "ServiceQuotaExceededException", f"There are {_MOST_TEMPLATES} experiment templates", status=402
            )
        id = f"EXT{self._ctx.ids.alnum(14)}"
        template = Template(id, self._arn("experiment-template", id), self._ctx.clock.now(), params)
        template.tags.update(call.params.get("tags", {}))
        self._templates[id] = template
        self._tokens[token] = id
        return {"experimentTemplate": self._describe_template(template)}

    async def get_experiment_template(self, call: Call) -> dict[str, Any]:
        return {"experimentTemplate": self._describe_template(self._template(call.params["id"]))}

    async def list_experiment_templates(self, call: Call) -> dict[str, Any]:
        descriptions = [self._describe_template(each) for each in self._templates.values()]
        listed = [_summary(each, "description", "lastUpdateTime") for each in descriptions]
        return _page("experimentTemplates", listed, call.params)

    async def delete_experiment_template(self, call: Call) -> dict[str, Any]:
        template = self._template(call.params["id"])
        del self._templates[template.id]
        return {"experimentTemplate": self._describe_template(template)}

    async def start_experiment(self, call: Call) -> dict[str, Any]:
        token = call.params["clientToken"]
        if (known := self._experiments.get(self._tokens.get(token, ""))) is not None:
            return {"experiment": self._describe_experiment(known)}
        if call.params.get("experimentOptions", {}).get("actionsMode", "run-all") != "run-all":
            raise not_emulated("fis", "StartExperiment with actionsMode skip-all")
        template = self._template(call.params["experimentTemplateId"])
        if sum(each.status not in ENDED for each in self._experiments.values()) >= _MOST_RUNNING:
            raise AwsError("ServiceQuotaExceededException", f"{_MOST_RUNNING} experiments are running", status=402)
        id = f"EXP{self._ctx.ids.alnum(14)}"
        actions = {name: Action(name, each) for name, each in template.definition["actions"].items()}
        experiment = Experiment(id, self._arn("experiment", id), template, self._ctx.clock.now(), actions)
        experiment.tags.update(call.params.get("tags", {}))
        self._experiments[id] = experiment
        self._tokens[token] = id
        self._tasks.run(f"experiment {id}", ExperimentRun(self._ctx, self._network, experiment).run())
        return {"experiment": self._describe_experiment(experiment)}

    async def stop_experiment(self, call: Call) -> dict[str, Any]:
        experiment = self._experiment(call.params["id"])
        if experiment.status in ENDED:
            raise invalid(f"Experiment {experiment.id} cannot be stopped: it is {experiment.status}")
        experiment.stop("Experiment stopped by user.")
        return {"experiment": self._describe_experiment(experiment)}

    async def get_experiment(self, call: Call) -> dict[str, Any]:
        return {"experiment": self._describe_experiment(self._experiment(call.params["id"]))}

    async def list_experiments(self, call: Call) -> dict[str, Any]:
        wanted = call.params.get("experimentTemplateId")
        listed = [
            _summary(self._describe_experiment(each), "experimentTemplateId", "state")
            for each in self._experiments.values()
            if wanted in (None, each.template.id)
        ]
        return _page("experiments", listed, call.params)

    async def get_action(self, call: Call) -> dict[str, Any]:
        kind = KINDS.get(call.params["id"])
        if kind is None:
            raise _missing(f"Action {call.params['id']}")
        return {"action": self._describe_action(kind)}

    async def list_actions(self, call: Call) -> dict[str, Any]:
        listed = [self._describe_action(each) for each in KINDS.values()]
        for each in listed:
            each.pop("parameters", None)
        return _page("actions", listed, call.params)

    async def tag_resource(self, call: Call) -> dict[str, Any]:
        self._tagged(call).update(call.params["tags"])
        return {}

    async def untag_resource(self, call: Call) -> dict[str, Any]:
        tags = self._tagged(call)
        for key in call.params.get("tagKeys", ()):
            tags.pop(key, None)
        return {}

    async def list_tags_for_resource(self, call: Call) -> dict[str, Any]:
        return {"tags": self._tagged(call)}

    def _tagged(self, call: Call) -> dict[str, str]:
        arn = call.params["resourceArn"]
        known: list[Template | Experiment] = [*self._templates.values(), *self._experiments.values()]
        for each in known:
            if each.arn == arn:
                return each.tags
        raise _missing(f"Resource {arn}")

    def _template(self, id: str) -> Template:
        if id not in self._templates:
            raise _missing(f"Experiment template {id}")
        return self._templates[id]

    def _experiment(self, id: str) -> Experiment:
        if id not in self._experiments:
            raise _missing(f"Experiment {id}")
        return self._experiments[id]

    def _arn(self, kind: str, id: str) -> str:
        return f"arn:aws:fis:{self._ctx.region}:{self._ctx.account}:{kind}/{id}"

    def _describe_template(self, template: Template) -> dict[str, Any]:
        return {
            **template.definition,
            "id": template.id,
            "arn": template.arn,
            "creationTime": _time(template.created),
            "lastUpdateTime": _time(template.created),
            "experimentOptions": _options(template),
            "targetAccountConfigurationsCount": 0,
            "tags": template.tags,
        }

    def _describe_experiment(self, experiment: Experiment) -> dict[str, Any]:
        definition = experiment.template.definition
        return {
            "id": experiment.id,
            "arn": experiment.arn,
            "experimentTemplateId": experiment.template.id,
            "roleArn": definition["roleArn"],
            "state": _state(experiment),
            "targets": {
                name: {**target, **({"resourceArns": arns} if (arns := experiment.targets.get(name)) else {})}
                for name, target in definition.get("targets", {}).items()
            },
            "actions": {
                name: {
                    **each.definition,
                    "state": {"status": each.status, "reason": each.reason},
                    "startTime": _time(each.started),
                    "endTime": _time(each.ended),
                }
                for name, each in experiment.actions.items()
            },
            "stopConditions": definition["stopConditions"],
            "creationTime": _time(experiment.created),
            "startTime": _time(experiment.started),
            "endTime": _time(experiment.ended),
            "tags": experiment.tags,
            "experimentOptions": {**_options(experiment.template), "actionsMode": "run-all"},
            "targetAccountConfigurationsCount": 0,
        }

    def _describe_action(self, kind: Kind) -> dict[str, Any]:
        required = kind.required
        return {
            "id": kind.id,
            "arn": f"arn:aws:fis:{self._ctx.region}:{self._ctx.account}:action/{kind.id}",
            "description": kind.description,
            "parameters": {
                name: {"description": text, "required": name in required}
                for name, text in (kind.parameters or {}).items()
            },
            "targets": {kind.target[0]: {"resourceType": kind.target[1]}} if kind.target else {},
            "tags": {},
        }


def _summary(description: Mapping[str, Any], *members: str) -> dict[str, Any]:
    return {name: description[name] for name in ("id", "arn", "creationTime", "tags", *members)}


def _options(template: Template) -> dict[str, str]:
    usual = {"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"}
    return {**usual, **template.definition.get("experimentOptions", {})}


def _state(experiment: Experiment) -> dict[str, Any]:
    state: dict[str, Any] = {"status": experiment.status, "reason": experiment.reason}
    return {**state, "error": experiment.error} if experiment.error else state


def _page(key: str, items: Sequence[Any], params: Mapping[str, Any]) -> dict[str, Any]:
    token = params.get("nextToken")
    return paginate(items, token, params.get("maxResults", _PAGE), invalid(f"Invalid nextToken {token!r}")).answer(
        key, "nextToken"
    )


def _missing(what: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"{what} does not exist", status=404)


def _time(epoch: float | None) -> datetime | None:
    return None if epoch is None else instant(epoch)
