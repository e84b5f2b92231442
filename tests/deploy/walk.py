"""Deploys the stack to an AWS emulator. Tests logins, tokens, the permissions of the functions, and
the commands of docs/operations.md."""

import re
import sys
import time

from permissions import ALLOWED, CALLS, RoleSession
from runner import run_all, test, wait_for
from visitor import session_cookie
from world import ANA, ME, World, architecture, new_token

DELETION_TIMEOUT = 150
RESTORED = "arm-api-restored"
RESTORE_TIMEOUT = 30


@test
def the_stack_is_deployed_to_an_empty_account(world):
    endpoint = f"AwsEndpointUrl={world.cloud.url}"
    world.deploy(f"Architecture={architecture()}", endpoint, "DeletionProtection=false")

    assert world.api == f"{world.product}/api"
    assert world.ana.open(f"{world.product}/healthz").text == "ok\n"


@test
def nobody_can_log_in_before_a_provider_is_configured(world):
    assert "No login method is configured" in world.ana.open(f"{world.product}/").text


@test
def the_operator_configures_a_provider(world):
    entry = world.start_provider()
    world.guide.run("Identity providers")

    assert f"Continue with {entry['label']}" in world.ana.open(f"{world.product}/").text


@test
def a_user_logs_in_with_the_provider_and_gets_a_session(world):
    end = world.ana.log_in(world.product, ANA)

    assert end.target() == f"{world.product}/home", end.text
    assert session_cookie(world.product) in world.ana.cookies(world.product)
    home = world.ana.open(f"{world.product}/home")
    assert home.status == 200
    assert ANA in home.text
    assert world.ana.query(world.api, ME).json() == {"data": {"me": {"userEmail": ANA}}}


@test
def an_admin_creates_an_organization_and_sees_it_in_the_list(world):
    world.set_role("admin")
    created = world.ana.query(world.api, 'mutation { addOrganization(name: "acme") { success } }')
    by_name = world.ana.query(world.api, '{ organizationId(organizationName: "acme") { name } }')
    page = world.ana.open(f"{world.product}/orgs")
    world.set_role("user")

    assert created.json() == {"data": {"addOrganization": {"success": True}}}, created.text
    assert by_name.json() == {"data": {"organizationId": {"name": "acme"}}}, by_name.text
    assert page.status == 200, page.text
    assert "<span>acme</span>" in page.text


@test
def the_playground_is_at_api(world):
    page = world.ana.open(world.api)

    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert "playground" in page.text.lower()


@test
def an_instance_starts_without_requesting_public_keys_from_kms(world):
    kids = world.known_kids()
    world.guide.run("Start while KMS is unavailable")

    public_keys = world.variable("WebFunction", "SIGNING_PUBLIC_KEYS")
    assert public_keys.startswith(world.cloud.outputs()["SigningKeyArn"])
    assert world.known_kids() == kids


@test
def a_token_is_signed_by_the_key_in_kms_and_expires_on_time(world):
    world.new_token("short", seconds=5)

    assert {world.kid("short")} == world.known_kids()
    assert world.is_valid("short")
    time.sleep(5.5)
    assert world.reason("short") == "TOKEN_EXPIRED"


@test
def a_browser_without_javascript_creates_a_token_with_a_form(world):
    home = world.ana.open(f"{world.product}/home").text
    fields = {
        name: re.search(f'name="{name}"[^>]* value="([^"]*)"', home)[1]
        for name in ["date", "replaces"]
    }
    page = world.ana.submit(f"{world.product}/home/token", **fields).text

    world.tokens["of the form"] = re.search(r"<textarea[^>]*>([^<]+)</textarea>", page)[1]
    assert world.is_valid("of the form")


@test
def a_new_token_replaces_the_previous_one(world):
    world.new_token("first")
    assert world.is_valid("first")
    world.new_token("second")

    assert world.reason("first") == "TOKEN_REPLACED"
    assert world.is_valid("second")


@test
def a_revoked_token_is_rejected_with_the_next_request(world):
    response = world.ana.query(world.api, "mutation { invalidateAccessToken { success } }").json()

    assert response == {"data": {"invalidateAccessToken": {"success": True}}}, response
    assert world.reason("second") == "TOKEN_REVOKED"


@test
def a_revoked_token_stays_revoked_until_dynamodb_deletes_its_record(world):
    dynamodb, table = world.cloud.client("dynamodb"), world.cloud.outputs()["TableName"]
    # The emulator ignores this setting when it creates the table.
    dynamodb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True}
    )
    dynamodb.update_item(
        TableName=table,
        Key=world.record("second"),
        UpdateExpression="SET #ttl = :past",
        ExpressionAttributeNames={"#ttl": "ttl"},
        ExpressionAttributeValues={":past": {"N": str(int(time.time()) - 1)}},
    )

    assert world.reason("second") == "TOKEN_REVOKED"


@test
def an_update_of_the_stack_keeps_tokens_and_sessions(world):
    world.new_token("lasting")
    world.deploy('TokenCreationDisabled="Maintenance until noon"')

    assert world.is_valid("lasting")
    refused = world.ana.query(world.api, new_token(seconds=60))
    assert refused.json()["errors"][0]["extensions"]["reason"] == "CREATION_DISABLED", refused.text
    world.deploy('TokenCreationDisabled=""')
    assert world.is_valid("lasting")


@test
def a_new_key_is_published_before_it_signs(world):
    world.guide.run("Rotate the signing key", step=0)

    assert len(world.known_kids()) == 2
    assert world.is_valid("lasting")


@test
def the_new_key_signs_and_tokens_of_the_old_key_stay_valid(world):
    old = world.kid("lasting")
    world.guide.run("Rotate the signing key", step=1)

    assert world.is_valid("lasting")
    world.tokens["of the old key"] = world.tokens["lasting"]
    world.new_token("of the new key")
    assert world.kid("of the new key") != old
    assert world.is_valid("of the new key")


@test
def a_token_is_invalid_after_its_record_was_deleted(world):
    dynamodb, table = world.cloud.client("dynamodb"), world.cloud.outputs()["TableName"]

    def is_deleted():
        return "Item" not in dynamodb.get_item(TableName=table, Key=world.record("second"))

    wait_for(is_deleted, "the record is deleted", DELETION_TIMEOUT)

    assert world.reason("second") == "TOKEN_INVALID"


@test
def tokens_of_a_removed_key_are_invalid(world):
    world.guide.run("Rotate the signing key", step=2)
    world.guide.run("Rotate the signing key", step=3)

    assert world.known_kids() == {world.kid("of the new key")}
    assert world.reason("of the old key") == "TOKEN_INVALID"
    assert world.is_valid("of the new key")


@test
def an_operator_disables_a_user(world):
    printed = world.guide.run("End a person's access", email=ANA)

    assert printed.startswith(f"Disabled {ANA} ("), printed
    assert world.reason("of the new key") == "USER_DISABLED"
    assert world.ana.query(world.api, ME).status == 401
    assert world.ana.log_in(world.product, ANA).status == 401


@test
def an_enabled_user_can_log_in_but_earlier_credentials_stay_invalid(world):
    printed = world.guide.run("End a person's access", step=1, email=ANA)

    assert printed.startswith(f"Enabled {ANA} ("), printed
    assert world.reason("of the new key") == "TOKEN_REVOKED"
    world.ana.log_in(world.product, ANA)
    assert world.ana.query(world.api, ME).json() == {"data": {"me": {"userEmail": ANA}}}


def check_permissions(world, role):
    """Checks that a role allows exactly the calls that its function needs."""
    session = RoleSession(world.cloud, role)
    allowed = {action for action, call in CALLS.items() if session.allowed(call)}
    assert allowed == ALLOWED[role], f"not expected: {allowed ^ ALLOWED[role]}"


@test
def the_api_function_has_only_the_permissions_that_it_needs(world):
    check_permissions(world, "ApiRole")


@test
def the_web_function_has_only_the_permissions_that_it_needs(world):
    check_permissions(world, "WebRole")


@test
def logs_contain_no_secrets(world):
    logs = world.cloud.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    events = [logs.filter_log_events(logGroupName=group)["events"] for group in groups]
    lines = [it["message"] for of_group in events for it in of_group]

    failed_warm_ups = [line for line in lines if "did not respond at startup" in line]
    assert not failed_warm_ups, failed_warm_ups
    assert any('"requestId"' in line for line in lines), f"the logs are empty: {groups}"
    for secret in world.secrets():
        assert not any(secret in line for line in lines), f"a log contains {secret[:12]}…"


@test
def the_table_is_restored_from_a_backup(world):
    table = world.cloud.outputs()["TableName"]
    world.guide.run("Backup and restore")

    dynamodb = world.cloud.client("dynamodb")

    def is_active():
        return dynamodb.describe_table(TableName=RESTORED)["Table"]["TableStatus"] == "ACTIVE"

    wait_for(is_active, "the restored table", RESTORE_TIMEOUT)
    assert dynamodb.scan(TableName=RESTORED)["Count"] == dynamodb.scan(TableName=table)["Count"]


@test
def deleting_the_stack_keeps_the_table_the_secret_and_the_keys(world):
    outputs, key = world.cloud.outputs(), world.cloud.resource("SigningKey")
    world.guide.run("Remove")

    assert world.cloud.client("dynamodb").scan(TableName=outputs["TableName"])["Count"] > 0
    secrets = world.cloud.client("secretsmanager")
    assert secrets.get_secret_value(SecretId=outputs["ProvidersSecret"])
    found = world.cloud.client("kms").describe_key(KeyId=key)
    assert found["KeyMetadata"]["KeyState"] == "Disabled"


world = World()
try:
    passed = run_all(world)
finally:
    world.stop()
sys.exit(not passed)
