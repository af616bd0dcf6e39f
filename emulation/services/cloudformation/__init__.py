"""CloudFormation: resolves templates, creates resources in dependency order by AWS calls, rolls back, deletes.

    text --yaml_source, template, checks--> Template
    Template --parameters, desired_state--> DesiredState   conditions decided, order known
    DesiredState --change_plan------------> changes        for change sets and "No updates are to be performed."
    DesiredState --engine, deployment, deletion--> Stack   resources, events, outputs

A resource type is one entry in `resources/`.
"""

from .api import Cloudformation

__all__ = ["Cloudformation"]
