"""What each function does in the cloud, and what it has no business to do.

The calls are made with the credentials that the function itself gets.
"""

from botocore.exceptions import ClientError


class Hands:
    """What somebody with a function's role can do."""

    def __init__(self, cloud, role):
        found = cloud.client("iam").get_role(RoleName=cloud.resource(role))["Role"]
        self._credentials = assumed(cloud, found["Arn"])
        self._cloud = cloud
        self.table = cloud.outputs()["TableName"]
        self.key = cloud.outputs()["SigningKeyArn"]
        self.secret = cloud.outputs()["ProvidersSecret"]

    def client(self, service):
        return self._cloud.client(service, **self._credentials)

    def allowed(self, call):
        """Whether a call is let through, whatever it then says."""
        try:
            call(self)
        except ClientError as error:
            if "AccessDenied" in error.response["Error"]["Code"]:
                return False
            assert "ConditionalCheck" in str(error) or "TransactionCanceled" in str(error), error
        return True


def assumed(cloud, arn):
    """The credentials of a role, as the Lambda service gets them."""
    session = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="function")["Credentials"]
    return {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }


NOBODY = {"PK": {"S": "U#nobody"}, "SK": {"S": "P"}}
NEVER = {"ConditionExpression": "attribute_exists(PK) AND attribute_not_exists(PK)"}


def _table(operation, **arguments):
    return lambda hands: getattr(hands.client("dynamodb"), operation)(TableName=hands.table, **arguments)


def _sign(hands):
    hands.client("kms").sign(
        KeyId=hands.key, Message=b"message", MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
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
        "update_item", Key=NOBODY, UpdateExpression="SET x = :x", ExpressionAttributeValues={":x": {"N": "1"}}, **NEVER
    ),
    "kms:GetPublicKey": lambda it: it.client("kms").get_public_key(KeyId=it.key),
    "kms:Sign": _sign,
    "secretsmanager:GetSecretValue": lambda it: it.client("secretsmanager").get_secret_value(SecretId=it.secret),
    # What neither needs.
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
    "dynamodb:UpdateItem",
    "kms:GetPublicKey",
}

ALLOWED = {
    "ApiRole": _COMMON | {"dynamodb:Query", "kms:Sign"},
    "WebRole": _COMMON | {"secretsmanager:GetSecretValue"},
}
