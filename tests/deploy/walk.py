"""The stack on a local AWS, from nothing: the whole guide of the seed through the API's own URL, the
operator's guide word for word, and what the functions may not do."""

import re
import sys
import time

from permissions import ALLOWED, CALLS, Hands
from stories import eventually, story, tell_all
from visitor import session_cookie
from world import ANA, ME, World, architecture, new_token

SWEPT_WITHIN = 150
RESTORED = "arm-api-restored"
RESTORED_WITHIN = 30


@story
def the_stack_is_deployed_where_there_was_nothing(world):
    world.deploy(f"Architecture={architecture()}", f"AwsEndpointUrl={world.cloud.url}", "DeletionProtection=false")

    assert world.api == f"{world.product}/api"
    assert world.ana.open(f"{world.product}/healthz").text == "ok\n"


@story
def nobody_can_log_in_before_a_provider_is_listed(world):
    assert "No way to log in is configured" in world.ana.open(f"{world.product}/").text


@story
def the_operator_lists_a_provider(world):
    entry = world.start_provider()
    world.guide.follow("Identity providers")

    assert f"Continue with {entry['label']}" in world.ana.open(f"{world.product}/").text


@story
def a_person_logs_in_through_the_provider_and_gets_a_session(world):
    end = world.ana.log_in(world.product, ANA)

    assert end.target() == f"{world.product}/home", end.text
    assert session_cookie(world.product) in world.ana.cookies(world.product)
    home = world.ana.open(f"{world.product}/home")
    assert home.status == 200 and ANA in home.text
    assert world.ana.ask(world.api, ME).json() == {"data": {"me": {"userEmail": ANA}}}


@story
def the_playground_is_at_api(world):
    page = world.ana.open(world.api)

    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    assert "playground" in page.text.lower()


@story
def an_instance_starts_without_asking_kms_for_public_keys(world):
    kids = world.known_kids()
    world.guide.follow("Start without KMS")

    assert world.variable("WebFunction", "SIGNING_PUBLIC_KEYS").startswith(world.cloud.outputs()["SigningKeyArn"])
    assert world.known_kids() == kids


@story
def a_token_is_signed_by_the_key_in_kms_and_ends_at_its_second(world):
    world.new_token("short", seconds=5)

    assert {world.kid("short")} == world.known_kids()
    assert world.holds("short")
    time.sleep(5.5)
    assert world.reason("short") == "TOKEN_EXPIRED"


@story
def a_browser_without_scripts_makes_a_token_by_a_form(world):
    home = world.ana.open(f"{world.product}/home").text
    fields = {name: re.search(f'name="{name}"[^>]* value="([^"]*)"', home)[1] for name in ["date", "replaces"]}
    page = world.ana.submit(f"{world.product}/home/token", **fields).text

    world.tokens["of the form"] = re.search(r"<textarea[^>]*>([^<]+)</textarea>", page)[1]
    assert world.holds("of the form")


@story
def a_new_token_replaces_the_one_before(world):
    world.new_token("first")
    assert world.holds("first")
    world.new_token("second")

    assert world.reason("first") == "TOKEN_REPLACED"
    assert world.holds("second")


@story
def a_revoked_token_is_over_with_the_next_request(world):
    answer = world.ana.ask(world.api, "mutation { invalidateAccessToken { success } }").json()

    assert answer == {"data": {"invalidateAccessToken": {"success": True}}}, answer
    assert world.reason("second") == "TOKEN_REVOKED"


@story
def a_record_that_is_over_is_left_to_dynamodb_to_sweep(world):
    dynamodb, table = world.cloud.client("dynamodb"), world.cloud.outputs()["TableName"]
    # The emulator leaves it out when it makes the table.
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


@story
def an_update_of_the_stack_leaves_tokens_and_sessions_alone(world):
    world.new_token("lasting")
    world.deploy('TokenCreationDisabled="Maintenance until noon"')

    assert world.holds("lasting")
    refused = world.ana.ask(world.api, new_token(seconds=60))
    assert refused.json()["errors"][0]["extensions"]["reason"] == "CREATION_DISABLED", refused.text
    world.deploy('TokenCreationDisabled=""')
    assert world.holds("lasting")


@story
def a_new_key_is_known_before_it_signs(world):
    world.guide.follow("Rotate the signing key", step=0)

    assert len(world.known_kids()) == 2
    assert world.holds("lasting")


@story
def then_it_signs_and_tokens_of_the_old_key_hold(world):
    old = world.kid("lasting")
    world.guide.follow("Rotate the signing key", step=1)

    assert world.holds("lasting")
    world.tokens["of the old key"] = world.tokens["lasting"]
    world.new_token("of the new key")
    assert world.kid("of the new key") != old
    assert world.holds("of the new key")


@story
def once_it_is_swept_nobody_knows_the_token(world):
    dynamodb, table = world.cloud.client("dynamodb"), world.cloud.outputs()["TableName"]

    def is_swept():
        return "Item" not in dynamodb.get_item(TableName=table, Key=world.record("second"))

    eventually(is_swept, "the record is swept", SWEPT_WITHIN)

    assert world.reason("second") == "TOKEN_INVALID"


@story
def tokens_of_a_dropped_key_are_none_of_ours(world):
    world.guide.follow("Rotate the signing key", step=2)
    world.guide.follow("Rotate the signing key", step=3)

    assert world.known_kids() == {world.kid("of the new key")}
    assert world.reason("of the old key") == "TOKEN_INVALID"
    assert world.holds("of the new key")


@story
def an_operator_ends_a_persons_access(world):
    printed = world.guide.follow("End a person's access", email=ANA)

    assert printed.startswith(f"Disabled {ANA} ("), printed
    assert world.reason("of the new key") == "USER_DISABLED"
    assert world.ana.ask(world.api, ME).status == 401
    assert world.ana.log_in(world.product, ANA).status == 401


@story
def who_is_let_in_again_gets_nothing_back_and_can_log_in(world):
    printed = world.guide.follow("End a person's access", step=1, email=ANA)

    assert printed.startswith(f"Enabled {ANA} ("), printed
    assert world.reason("of the new key") == "TOKEN_REVOKED"
    world.ana.log_in(world.product, ANA)
    assert world.ana.ask(world.api, ME).json() == {"data": {"me": {"userEmail": ANA}}}


def may(world, role):
    """Finds what a role may do of all calls; it must be exactly what its function does."""
    hands = Hands(world.cloud, role)
    allowed = {action for action, call in CALLS.items() if hands.allowed(call)}
    assert allowed == ALLOWED[role], f"not expected: {allowed ^ ALLOWED[role]}"


@story
def the_api_function_may_do_what_it_does_and_nothing_else(world):
    may(world, "ApiRole")


@story
def the_web_function_may_do_what_it_does_and_nothing_else(world):
    may(world, "WebRole")


@story
def no_log_holds_a_secret(world):
    logs = world.cloud.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    lines = [it["message"] for group in groups for it in logs.filter_log_events(logGroupName=group)["events"]]

    assert not any("did not answer at start" in line for line in lines), "the first read is not allowed"
    assert any('"requestId"' in line for line in lines), f"the logs are empty: {groups}"
    for secret in world.secrets():
        assert not any(secret in line for line in lines), f"a log holds {secret[:12]}…"


@story
def the_table_comes_back_from_its_backups(world):
    table = world.cloud.outputs()["TableName"]
    world.guide.follow("Backup and restore")

    dynamodb = world.cloud.client("dynamodb")

    def is_there():
        return dynamodb.describe_table(TableName=RESTORED)["Table"]["TableStatus"] == "ACTIVE"

    eventually(is_there, "the restored table", RESTORED_WITHIN)
    assert dynamodb.scan(TableName=RESTORED)["Count"] == dynamodb.scan(TableName=table)["Count"]


@story
def the_stack_goes_and_what_must_not_be_lost_stays(world):
    outputs, key = world.cloud.outputs(), world.cloud.resource("SigningKey")
    world.guide.follow("Remove")

    assert world.cloud.client("dynamodb").scan(TableName=outputs["TableName"])["Count"] > 0
    assert world.cloud.client("secretsmanager").get_secret_value(SecretId=outputs["ProvidersSecret"])
    assert world.cloud.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


world = World()
try:
    good = tell_all(world)
finally:
    world.stop()
sys.exit(not good)
