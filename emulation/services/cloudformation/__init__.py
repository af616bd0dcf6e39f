"""CloudFormation: templates resolved, their resources created in dependency order by AWS calls, rolled back, deleted.

        text --yaml_source, template, checks--> Template
    Template --parameters, revision-----------> Revision    conditions decided, order known
    Revision --plan--------------------------> changes      for change sets and "No updates are to be performed."
    Revision --engine, deployment, removal---> Stack        resources, events, outputs

A resource type is one entry in `resources/`.
"""

from .api import Cloudformation

__all__ = ["Cloudformation"]
