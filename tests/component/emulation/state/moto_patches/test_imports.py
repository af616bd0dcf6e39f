"""moto without what it would load for nothing: told from a fresh interpreter, before anything else imports moto."""

from __future__ import annotations

import subprocess
import sys

PREPARE = """
from webordinary_testkit.emulation.state.embedded import MotoStore
from webordinary_testkit.emulation.state.views import views_of
from webordinary_testkit.emulation.time.clock import Clock

base = MotoStore(Clock(scale=1000), account="123456789012", host=lambda: "127.0.0.1:1")
base._prepare()
"""


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", PREPARE + program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_instance_types_are_not_read() -> None:
    printed = run(
        "views_of('efs')\n"
        "from moto.ec2.models import instance_types\n"
        "print(len(instance_types.INSTANCE_TYPES), sum(map(len, instance_types.INSTANCE_TYPE_OFFERINGS.values())) > 0,"
        " any(any(rows.values()) for rows in instance_types.INSTANCE_TYPE_OFFERINGS.values()))"
    )

    assert printed == "0 True False"


def test_other_resources_are_still_read() -> None:
    printed = run(
        "from moto.utilities.utils import load_resource\nprint(len(load_resource('ec2/resources/amis.json')) > 10)"
    )

    assert printed == "True"


def test_regions_are_listed_by_one_session() -> None:
    printed = run(
        "import boto3\n"
        "from moto.core.base_backend import AccountSpecificBackend\n"
        "real = boto3.Session\n"
        "views_of('ec2')\n"
        "from moto.ec2.models import availability_zones_and_regions as zones\n"
        "print(zones.Session() is AccountSpecificBackend.get_session(), boto3.Session is real,"
        " len(zones.RegionsAndZonesBackend.regions) > 30)"
    )

    assert printed == "True True True"


def test_a_service_that_needs_no_ec2_does_not_import_it() -> None:
    assert run("import sys\nviews_of('sqs')\nprint('moto.ec2' in sys.modules)") == "False"


def test_modules_imported_before_and_after_read_our_clock() -> None:
    printed = run(
        "import time\n"
        "from datetime import timezone\n"
        "time.sleep(0.05)\n"
        "views_of('sqs'); views_of('efs')\n"
        "import moto.core.responses, moto.core.utils, moto.sqs.models, moto.efs.models\n"
        "moments = [moto.core.responses.utcnow().replace(tzinfo=timezone.utc).timestamp(), moto.core.utils.unix_time(),"
        " moto.sqs.models.unix_time_millis() / 1000, moto.efs.models.time.time()]\n"
        "print(all(moment - time.time() > 40 for moment in moments), moto.efs.models.time.monotonic() > 0)"
    )

    assert printed == "True True"


def test_a_deleted_message_is_gone_from_memory() -> None:
    printed = run(
        "import gc\n"
        "call = lambda operation, **params: base._call('sqs', operation, 'us-west-2', params)\n"
        "url = call('CreateQueue', QueueName='q')['QueueUrl']\n"
        "call('SendMessage', QueueUrl=url, MessageBody='b')\n"
        "from moto.sqs.models import Message\n"
        "alive = lambda: sum(isinstance(thing, Message) for thing in gc.get_objects())\n"
        "before = alive()\n"
        "handle = call('ReceiveMessage', QueueUrl=url)['Messages'][0]['ReceiptHandle']\n"
        "call('DeleteMessage', QueueUrl=url, ReceiptHandle=handle)\n"
        "print(before, (gc.collect(), alive())[1])"
    )

    assert printed == "1 0"
