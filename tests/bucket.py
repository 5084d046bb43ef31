"""A bucket on this machine: moto's server, which judges signatures by botocore's own code and so by none of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
from moto.server import ThreadedMotoServer

NAME = "evidence"


@dataclass(frozen=True)
class TestBucket:
    """`client` is Amazon's own."""

    __test__ = False

    endpoint: str
    access_key: str
    secret_key: str
    client: Any

    @property
    def url(self) -> str:
        return f"s3://{NAME}/county?endpoint={self.endpoint}&region=us-east-1"

    def keys(self) -> list[str]:
        """Of every object that is there."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=NAME)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def unfinished(self) -> list[Any]:
        """Uploads in parts that nobody has finished."""
        found: list[Any] = self.client.list_multipart_uploads(Bucket=NAME).get("Uploads", [])
        return found


@contextmanager
def bucket() -> Iterator[TestBucket]:
    """A server with an empty bucket, and a user who may use it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"

        def client(kind: str, access_key: str, secret_key: str) -> Any:
            return boto3.client(
                kind, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=access_key,
                aws_secret_access_key=secret_key,
            )  # fmt: skip

        # All servers of a process have users, buckets, and the count of calls that go unjudged, in common.
        _judge_signatures(endpoint, after="inf")
        assert httpx.post(f"{endpoint}/moto-api/reset", trust_env=False).status_code == 200
        nobody = client("iam", "nobody", "nobody")
        nobody.create_user(UserName="xiaohao")
        policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
        nobody.put_user_policy(UserName="xiaohao", PolicyName="all", PolicyDocument=policy)
        key = nobody.create_access_key(UserName="xiaohao")["AccessKey"]
        made = TestBucket(
            endpoint,
            key["AccessKeyId"],
            key["SecretAccessKey"],
            client("s3", key["AccessKeyId"], key["SecretAccessKey"]),
        )
        made.client.create_bucket(Bucket=NAME)
        _judge_signatures(endpoint, after="0")
        yield made
    finally:
        server.stop()


def _judge_signatures(endpoint: str, *, after: str) -> None:
    """After so many calls, from now on."""
    answer = httpx.post(f"{endpoint}/moto-api/reset-auth", content=after.encode(), trust_env=False)
    assert answer.status_code == 200, answer.text
