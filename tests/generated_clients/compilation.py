"""Make one compilation by the client that openapi-python-client generates.

Arguments: the URL of the API and a file with the clip. The key is in CLIPMILL_API_KEY. Prints JSON.
"""

import hashlib
import io
import json
import os
import sys
import time
from pathlib import Path

from generated import AuthenticatedClient
from generated.api.compilations import (
    cancel_compilation,
    create_compilation,
    get_compilation,
    list_compilations,
    plan_compilation,
    share_output,
)
from generated.api.media import upload_form
from generated.models import Manifest, Problem, ShareRequest, UploadFormBody
from generated.types import File

URL, CLIP = sys.argv[1], Path(sys.argv[2])
client = AuthenticatedClient(base_url=URL, token=os.environ["CLIPMILL_API_KEY"], timeout=60)

file = File(payload=io.BytesIO(CLIP.read_bytes()), file_name=CLIP.name)
media = upload_form.sync(client=client, body=UploadFormBody(file=file))
output = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
manifest = Manifest.from_dict(
    {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": "generated"},
        "spec": {"clips": [{"mediaId": media.id}], "outputs": [output]},
    }
)
plan = plan_compilation.sync(client=client, body=manifest)
view = create_compilation.sync(client=client, body=manifest, idempotency_key="generated-1")
while view.state in ("Pending", "Fetching", "Rendering"):
    time.sleep(0.2)
    view = get_compilation.sync(view.id, client=client)
link = share_output.sync(view.id, "main", client=client, body=ShareRequest(expires_in_seconds=60))
video = client.get_httpx_client().get(link.url).content
missing = get_compilation.sync("c-0123456789abcdef", client=client)
manifest.spec.clips[0].end = "nonsense"
refused = plan_compilation.sync(client=client, body=manifest)
assert isinstance(missing, Problem)
assert isinstance(refused, Problem)
page = list_compilations.sync(client=client, name="generated")
deleted = cancel_compilation.sync(view.id, client=client, permanent=True)
print(
    json.dumps(
        {
            "frames": plan.outputs[0].frames,
            "state": view.state,
            "used": view.used_seconds,
            "sha256": hashlib.sha256(video).hexdigest(),
            "expected": view.outputs[0].sha256,
            "listed": [item.id for item in page.items] == [view.id],
            "missing": missing.code,
            "refused": [refused.code, refused.errors[0].field],
            "deleted": get_compilation.sync(deleted.id, client=client).code,
        }
    )
)
