//! Creates the table as `template.yaml` does.

use aws_sdk_dynamodb::{
    Client, Error,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        TimeToLiveSpecification,
        builders::{AttributeDefinitionBuilder, KeySchemaElementBuilder},
    },
};

/// Creates the table, if it does not exist.
///
/// # Errors
///
/// When DynamoDB fails.
pub async fn create(client: &Client, table: &str) -> Result<(), Box<Error>> {
    try_create(client, table).await.map_err(Box::new)
}

async fn try_create(client: &Client, table: &str) -> Result<(), Error> {
    if client.describe_table().table_name(table).send().await.is_ok() {
        return Ok(());
    }
    let (pk, sk) = (key("PK", KeyType::Hash).build()?, key("SK", KeyType::Range).build()?);
    let (pk_text, sk_text) = (text("PK").build()?, text("SK").build()?);
    let create = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    let create = create.key_schema(pk).key_schema(sk);
    create.attribute_definitions(pk_text).attribute_definitions(sk_text).send().await?;
    let ttl = TimeToLiveSpecification::builder().attribute_name("ttl").enabled(true).build()?;
    client.update_time_to_live().table_name(table).time_to_live_specification(ttl).send().await?;
    Ok(())
}

fn key(name: &str, ty: KeyType) -> KeySchemaElementBuilder {
    KeySchemaElement::builder().attribute_name(name).key_type(ty)
}

fn text(name: &str) -> AttributeDefinitionBuilder {
    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S)
}
