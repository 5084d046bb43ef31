"""AWS Signature Version 4 for requests without a query, as every S3-compatible store takes it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

NOTHING = hashlib.sha256(b"").hexdigest()
"""The digest of a body that is not there."""


@dataclass(frozen=True, slots=True)
class Signer:
    access_key: str
    secret_key: str
    region: str

    def sign(self, method: str, host: str, path: str, payload: str, now: datetime) -> dict[str, str]:
        """Header fields that vouch for a request. `path` is as it is sent, `payload` the hex SHA-256 of the body."""
        at = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = {"host": host, "x-amz-content-sha256": payload, "x-amz-date": at}
        names = ";".join(signed)
        fields = "".join(f"{name}:{value}\n" for name, value in signed.items())
        request = "\n".join((method, path, "", fields, names, payload))
        scope = f"{at[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join(("AWS4-HMAC-SHA256", at, scope, hashlib.sha256(request.encode()).hexdigest()))
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = _mac(key, part)
        vouched = f"Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={_mac(key, text).hex()}"
        del signed["host"]
        return {**signed, "authorization": f"AWS4-HMAC-SHA256 {vouched}"}


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
