"""Checks which AWS calls the role of each function allows.

The calls use the credentials that the function receives.
"""

from botocore.exceptions import ClientError


class RoleSession:
    """A session with the role of a function."""

    def __init__(self, cloud, role):
        found = cloud.client("iam").get_role(RoleName=cloud.resource(role))["Role"]
        self._credentials = assume(cloud, found["Arn"])
        self._cloud = cloud
        self.table = cloud.outputs()["TableName"]
        self.key = cloud.outputs()["SigningKeyArn"]
        self.secret = cloud.outputs()["ProvidersSecret"]

    def client(self, service):
        return self._cloud.client(service, **self._credentials)

    def allowed(self, call):
        """Returns whether IAM allows a call. The call itself may fail."""
        try:
            call(self)
        except ClientError as error:
            if "AccessDenied" in error.response["Error"]["Code"]:
                return False
            conditions = ["ConditionalCheck", "TransactionCanceled"]
            assert any(it in str(error) for it in conditions), error
        return True


def assume(cloud, arn):
    """Assumes a role as the Lambda service does. Returns the credentials."""
    response = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="function")
    session = response["Credentials"]
    return {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }


NOBODY = {"PK": {"S": "U#nobody"}, "SK": {"S": "P"}}
NEVER = {"ConditionExpression": "attribute_exists(PK) AND attribute_not_exists(PK)"}


def _table(operation, **arguments):
    def call(role):
        getattr(role.client("dynamodb"), operation)(TableName=role.table, **arguments)

    return call


def _sign(role):
    role.client("kms").sign(
        KeyId=role.key,
        Message=b"message",
        MessageType="RAW",
        SigningAlgorithm="ED25519_SHA_512",
    )


CALLS = {
    "dynamodb:BatchGetItem": lambda it: it.client("dynamodb").batch_get_item(
        RequestItems={it.table: {"Keys": [NOBODY]}}
    ),
    "dynamodb:ConditionCheckItem": lambda it: it.client("dynamodb").transact_write_items(
        TransactItems=[{"ConditionCheck": {"TableName": it.table, "Key": NOBODY, **NEVER}}]
    ),
    "dynamodb:DeleteItem": _table("delete_item", Key=NOBODY, **NEVER),
    "dynamodb:GetItem": _table("get_item", Key=NOBODY),
    "dynamodb:PutItem": _table("put_item", Item=NOBODY, **NEVER),
    "dynamodb:Query": _table(
        "query", KeyConditionExpression="PK = :pk", ExpressionAttributeValues={":pk": NOBODY["PK"]}
    ),
    "dynamodb:UpdateItem": _table(
        "update_item",
        Key=NOBODY,
        UpdateExpression="SET x = :x",
        ExpressionAttributeValues={":x": {"N": "1"}},
        **NEVER,
    ),
    "kms:GetPublicKey": lambda it: it.client("kms").get_public_key(KeyId=it.key),
    "kms:Sign": _sign,
    "secretsmanager:GetSecretValue": lambda it: it.client("secretsmanager").get_secret_value(
        SecretId=it.secret
    ),
    # Not allowed for either function.
    "cloudformation:DescribeStacks": lambda it: it.client("cloudformation").describe_stacks(),
    "dynamodb:BatchWriteItem": lambda it: it.client("dynamodb").batch_write_item(
        RequestItems={it.table: [{"DeleteRequest": {"Key": NOBODY}}]}
    ),
    "dynamodb:DeleteTable": _table("delete_table"),
    "dynamodb:DescribeTable": _table("describe_table"),
    "dynamodb:Scan": _table("scan"),
    "dynamodb:UpdateTimeToLive": _table(
        "update_time_to_live", TimeToLiveSpecification={"Enabled": False, "AttributeName": "ttl"}
    ),
    "iam:ListRoles": lambda it: it.client("iam").list_roles(),
    "kms:CreateKey": lambda it: it.client("kms").create_key(),
    "kms:DescribeKey": lambda it: it.client("kms").describe_key(KeyId=it.key),
    "kms:ScheduleKeyDeletion": lambda it: it.client("kms").schedule_key_deletion(KeyId=it.key),
    "lambda:ListFunctions": lambda it: it.client("lambda").list_functions(),
    "logs:DescribeLogGroups": lambda it: it.client("logs").describe_log_groups(),
    "s3:ListAllMyBuckets": lambda it: it.client("s3").list_buckets(),
    "secretsmanager:ListSecrets": lambda it: it.client("secretsmanager").list_secrets(),
    "secretsmanager:PutSecretValue": lambda it: it.client("secretsmanager").put_secret_value(
        SecretId=it.secret, SecretString="[]"
    ),
}

_COMMON = {
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "kms:GetPublicKey",
}

ALLOWED = {
    "ApiRole": _COMMON | {"kms:Sign"},
    "WebRole": _COMMON | {"secretsmanager:GetSecretValue"},
}
