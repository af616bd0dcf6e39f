"""AWS::Lambda."""

from __future__ import annotations

from typing import Any

from ...lambda_.code import zipped
from ..errors import PropertyError
from ..intrinsics import text
from .base import Job, ResourceType, deleting, retagging

_CONFIGURATION = (
    "Architectures DeadLetterConfig Description Environment EphemeralStorage Handler LoggingConfig MemorySize "
    "PackageType Role Runtime Timeout TracingConfig"
)
_INDEX = {"python": "index.py", "nodejs": "index.js"}
"""The file that CloudFormation makes of the text in ZipFile, by the beginning of the runtime's name."""
_MOST_TEXT = 4_194_304
"""Characters of ZipFile."""


def _code(job: Job) -> dict[str, Any]:
    code = dict(job.get("Code", {}))
    if "ZipFile" not in code:
        return {name: text(value) for name, value in code.items()}
    source, runtime = text(code["ZipFile"]), text(job.get("Runtime", ""))
    file = next((each for begin, each in _INDEX.items() if runtime.startswith(begin)), None)
    if file is None:
        raise PropertyError(f"ZipFile can only be used when Runtime is set to either of nodejs, python, got {runtime}")
    if len(source) > _MOST_TEXT:
        raise PropertyError(f"ZipFile has at most {_MOST_TEXT} characters, got {len(source)}")
    return {"ZipFile": zipped(file, source)}


async def create_function(job: Job) -> None:
    name = job.name(64)
    answer = await job.send(
        "lambda", "CreateFunction", only=_CONFIGURATION, FunctionName=name, Code=_code(job), Tags=dict(job.tags)
    )
    job.created(name, Arn=answer["FunctionArn"])
    await _reserve(job)


async def update_function(job: Job) -> None:
    name = job.physical_id
    if job.changed("Code"):
        await job.call("lambda", "UpdateFunctionCode", FunctionName=name, **_code(job))
    settings = [each for each in _CONFIGURATION.split() if each not in ("Architectures", "PackageType")]
    if job.changed(*settings):
        await job.send("lambda", "UpdateFunctionConfiguration", only=" ".join(settings), FunctionName=name)
    await _reserve(job)


async def _reserve(job: Job) -> None:
    await job.put_or_delete(
        "ReservedConcurrentExecutions",
        "lambda",
        "PutFunctionConcurrency",
        "DeleteFunctionConcurrency",
        lambda value: {"ReservedConcurrentExecutions": int(text(value))},
        FunctionName=job.physical_id,
    )


async def create_permission(job: Job) -> None:
    statement = job.generated_name(100)
    await job.send("lambda", "AddPermission", StatementId=statement)
    job.created(statement, Id=statement)


async def delete_permission(job: Job) -> None:
    await job.call("lambda", "RemovePermission", FunctionName=job.text("FunctionName"), StatementId=job.physical_id)


async def create_mapping(job: Job) -> None:
    answer = await job.send("lambda", "CreateEventSourceMapping")
    arn = job.arn("lambda", f"event-source-mapping:{answer['UUID']}")
    job.created(answer["UUID"], Id=answer["UUID"], EventSourceMappingArn=arn)


async def update_mapping(job: Job) -> None:
    await job.send("lambda", "UpdateEventSourceMapping", omit="EventSourceArn", UUID=job.physical_id)


async def put_invoke_config(job: Job) -> None:
    await job.send("lambda", "PutFunctionEventInvokeConfig")
    if not job.physical_id:
        job.created(job.generated_name(64))


async def delete_invoke_config(job: Job) -> None:
    await job.call("lambda", "DeleteFunctionEventInvokeConfig", FunctionName=job.text("FunctionName"))


TYPES = (
    ResourceType(
        "AWS::Lambda::Function",
        properties=f"{_CONFIGURATION} Code FunctionName ReservedConcurrentExecutions Tags",
        required="Code Role",
        create_only="FunctionName PackageType Architectures",
        not_emulated=(
            "CapacityProviderConfig CodeSigningConfigArn DurableConfig FileSystemConfigs FunctionScalingConfig "
            "ImageConfig KmsKeyArn Layers PublishToLatestPublished RecursiveLoop RuntimeManagementConfig SnapStart "
            "TenancyConfig VpcConfig"
        ),
        attributes="Arn",
        name_property="FunctionName",
        create=create_function,
        update=update_function,
        delete=deleting("lambda", "DeleteFunction", "FunctionName"),
        retag=retagging("lambda"),
    ),
    ResourceType(
        "AWS::Lambda::Permission",
        properties="Action EventSourceToken FunctionName Principal PrincipalOrgID SourceAccount SourceArn",
        required="Action FunctionName Principal",
        not_emulated="FunctionUrlAuthType InvokedViaFunctionUrl",
        attributes="Id",
        create=create_permission,
        delete=delete_permission,
    ),
    ResourceType(
        "AWS::Lambda::EventSourceMapping",
        properties=(
            "BatchSize Enabled EventSourceArn FunctionName FunctionResponseTypes MaximumBatchingWindowInSeconds "
            "ScalingConfig"
        ),
        required="FunctionName",
        create_only="EventSourceArn",
        not_emulated=(
            "AmazonManagedKafkaEventSourceConfig BisectBatchOnFunctionError DestinationConfig "
            "DocumentDBEventSourceConfig FilterCriteria KmsKeyArn LoggingConfig MaximumRecordAgeInSeconds "
            "MaximumRetryAttempts MetricsConfig ParallelizationFactor ProvisionedPollerConfig Queues "
            "SelfManagedEventSource SelfManagedKafkaEventSourceConfig SourceAccessConfigurations StartingPosition "
            "StartingPositionTimestamp Tags Topics TumblingWindowInSeconds"
        ),
        attributes="EventSourceMappingArn Id",
        create=create_mapping,
        update=update_mapping,
        delete=deleting("lambda", "DeleteEventSourceMapping", "UUID"),
    ),
    ResourceType(
        "AWS::Lambda::EventInvokeConfig",
        properties="DestinationConfig FunctionName MaximumEventAgeInSeconds MaximumRetryAttempts Qualifier",
        required="FunctionName Qualifier",
        create_only="FunctionName Qualifier",
        create=put_invoke_config,
        update=put_invoke_config,
        delete=delete_invoke_config,
    ),
)
