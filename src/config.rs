//! The configuration, from environment variables. No other module reads the environment.
//!
//! It is read once, when the process starts. The error lists all mistakes at once. For Lambda,
//! `template.yaml` sets the variables.

mod variables;

use std::{collections::BTreeMap, ops::RangeInclusive};

use jiff::SignedDuration;
use url::Url;

use crate::domain::rate_limit::RateLimit;

use self::variables::Variables;

/// The default number of logins that one network can begin per minute.
const DEFAULT_LOGIN_LIMIT: u32 = 30;

/// The default time for which API tokens can renew themselves: two years.
pub const DEFAULT_RENEWAL_LIMIT: SignedDuration = SignedDuration::from_hours(730 * 24);
/// The same in days, as text, for default values of settings.
pub const DEFAULT_RENEWAL_DAYS: &str = "730";
/// The range from which an operator can choose the number of days.
const ALLOWED_RENEWAL_DAYS: RangeInclusive<u16> = 184..=3650;

/// The configuration of a deployment.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of the DynamoDB table, from `TABLE_NAME`.
    pub table: String,
    /// The URL of the product, from `PUBLIC_URL`.
    pub public_url: PublicUrl,
    /// The keys that sign and verify API tokens, as JSON, from `SIGNING_KEYS`.
    pub signing_keys: SigningKeys,
    /// The public keys of keys in KMS, from `SIGNING_PUBLIC_KEYS`: pairs `ARN=PUBLIC_KEY`,
    /// separated by commas. Missing ones are requested from KMS at startup.
    pub signing_public_keys: String,
    /// Other origins whose scripts may call the API with a token, from `CORS_ORIGINS`, separated by
    /// commas. Usually none.
    pub cors_origins: Vec<http::HeaderValue>,
    /// The reason for disabling the creation of API tokens, from `TOKEN_CREATION_DISABLED`.
    /// Existing tokens stay valid. Usually not set.
    pub token_creation_disabled: Option<String>,
    /// How long API tokens can renew themselves, counted from the last token that was created in a
    /// session. From `TOKEN_RENEWAL_DAYS`: 184 to 3650 days, by default two years.
    pub token_renewal_limit: SignedDuration,
    /// The identity providers, from `PROVIDERS_SECRET_ARN`. Only the `web` function has them.
    pub providers: Option<Providers>,
    /// How many logins one network can begin per minute, and how many it can complete, from
    /// `LOGINS_PER_ADDRESS`. The default is 30; 0 means unlimited. Only the `web` function uses it.
    pub login_limit: Option<RateLimit>,
    /// The name of the Lambda function, from `AWS_LAMBDA_FUNCTION_NAME`: a dimension of metrics.
    pub function_name: Option<String>,
    pub aws: Aws,
}

/// The region, credentials and endpoints of AWS. Lambda sets these variables itself.
#[derive(Clone)]
pub struct Aws {
    /// From `AWS_REGION`.
    pub region: String,
    /// From `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// From `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// From `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
    /// From `AWS_ENDPOINT_URL`: replaces Amazon's own endpoints.
    pub endpoint: Option<String>,
    /// From `AWS_ENDPOINT_URL_DYNAMODB`, or the same as `endpoint` if that is not set.
    pub dynamodb_endpoint: Option<String>,
}

/// Where the list of identity providers is stored.
#[derive(Clone)]
pub enum Providers {
    /// In the secret with this ARN, in Secrets Manager.
    SecretArn(String),
    /// In this JSON text. It contains client secrets, so it is never printed.
    Json(String),
}

/// The value of `SIGNING_KEYS`. It may contain private keys, so it is never printed.
#[derive(Clone)]
pub struct SigningKeys(pub String);

/// The origin of the product, such as `https://app.example.com`: the scheme, the host, and the port
/// unless it is the scheme's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

/// All mistakes in the configuration, one per line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration is invalid:\n  {}", .0.join("\n  "))]
pub struct InvalidConfig(pub Vec<String>);

impl Config {
    /// Reads the configuration of a Lambda function from its environment.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] lists everything that is missing or malformed.
    #[expect(clippy::disallowed_methods, reason = "only this file reads the environment")]
    pub fn from_environment() -> Result<Self, InvalidConfig> {
        Self::from_variables(&std::env::vars().collect())
    }

    /// Reads the configuration from a map of variables.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] lists everything that is missing or malformed.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, InvalidConfig> {
        let mut variables = Variables::new(variables);
        let config = Self {
            table: variables.required("TABLE_NAME"),
            signing_keys: SigningKeys(variables.required("SIGNING_KEYS")),
            aws: Aws::read(&mut variables),
            public_url: read_public_url(&mut variables),
            cors_origins: read_cors_origins(&mut variables),
            login_limit: read_login_limit(&mut variables),
            token_creation_disabled: variables.optional("TOKEN_CREATION_DISABLED"),
            token_renewal_limit: read_renewal_limit(&mut variables),
            signing_public_keys: variables.optional("SIGNING_PUBLIC_KEYS").unwrap_or_default(),
            providers: variables.optional("PROVIDERS_SECRET_ARN").map(Providers::SecretArn),
            function_name: variables.optional("AWS_LAMBDA_FUNCTION_NAME"),
        };
        variables.finish(config).map_err(InvalidConfig)
    }
}

impl Aws {
    fn read(variables: &mut Variables<'_>) -> Self {
        let endpoint = variables.optional("AWS_ENDPOINT_URL");
        Self {
            region: variables.required("AWS_REGION"),
            access_key_id: variables.required("AWS_ACCESS_KEY_ID"),
            secret_access_key: variables.required("AWS_SECRET_ACCESS_KEY"),
            session_token: variables.optional("AWS_SESSION_TOKEN"),
            dynamodb_endpoint: variables
                .optional("AWS_ENDPOINT_URL_DYNAMODB")
                .or_else(|| endpoint.clone()),
            endpoint,
        }
    }
}

fn read_public_url(variables: &mut Variables<'_>) -> PublicUrl {
    let url = PublicUrl::try_from(variables.required("PUBLIC_URL"));
    variables.valid("PUBLIC_URL", url).unwrap_or_else(|| PublicUrl(String::new()))
}

fn read_cors_origins(variables: &mut Variables<'_>) -> Vec<http::HeaderValue> {
    let text = variables.optional("CORS_ORIGINS").unwrap_or_default();
    let origins = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    let parsed = origins.map(|it| {
        let origin = PublicUrl::try_from(it.to_owned())?;
        http::HeaderValue::try_from(origin.0).map_err(|fault| fault.to_string())
    });
    parsed.filter_map(|it| variables.valid("CORS_ORIGINS", it)).collect()
}

fn read_login_limit(variables: &mut Variables<'_>) -> Option<RateLimit> {
    let number = variables.optional("LOGINS_PER_ADDRESS").map(|it| it.parse::<u32>());
    let number = number.unwrap_or(Ok(DEFAULT_LOGIN_LIMIT)).map_err(|_| "must be a whole number");
    let number = variables.valid("LOGINS_PER_ADDRESS", number).unwrap_or_default();
    (number > 0).then_some(RateLimit::per_minute(number))
}

fn read_renewal_limit(variables: &mut Variables<'_>) -> SignedDuration {
    let days = variables.optional("TOKEN_RENEWAL_DAYS");
    let limit = parse_renewal_days(days.as_deref().unwrap_or(DEFAULT_RENEWAL_DAYS));
    variables.valid("TOKEN_RENEWAL_DAYS", limit).unwrap_or_default()
}

/// Parses the number of days for which tokens can renew themselves. The minimum is 184, because a
/// token that is created in a session can be valid for six months.
///
/// # Errors
///
/// A message with the allowed range.
pub fn parse_renewal_days(days: &str) -> Result<SignedDuration, String> {
    let days = days.parse().ok().filter(|it| ALLOWED_RENEWAL_DAYS.contains(it));
    let expected = || {
        format!(
            "must be a number of days from {} to {}",
            ALLOWED_RENEWAL_DAYS.start(),
            ALLOWED_RENEWAL_DAYS.end()
        )
    };
    days.map(|it: u16| SignedDuration::from_hours(i64::from(it) * 24)).ok_or_else(expected)
}

impl PublicUrl {
    /// Returns the URL without a trailing slash, as browsers send it in `Origin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the URL of the GraphQL endpoint, which is the audience of API tokens.
    #[must_use]
    pub fn api(&self) -> String {
        format!("{}/api", self.0)
    }

    /// Whether the URL uses HTTPS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let expected = || format!("`{text}` is not of the form https://host or http://host:port");
        let url = Url::parse(&text).map_err(|_| expected())?;
        let is_web = matches!(url.scheme(), "https" | "http");
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        if is_web && is_bare && is_anonymous && url.host().is_some() {
            Ok(Self(url.origin().ascii_serialization()))
        } else {
            Err(expected())
        }
    }
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Aws {{ region: {:?}, endpoint: {:?}, .. }}", self.region, self.dynamodb_endpoint)
    }
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SecretArn(arn) => write!(f, "SecretArn({arn:?})"),
            Self::Json(_) => f.write_str("Json([redacted])"),
        }
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn variables() -> BTreeMap<String, String> {
        let text = "TABLE_NAME=arm PUBLIC_URL=https://arm.example SIGNING_KEYS=[] \
                    AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=hidden-key";
        let pair =
            |it: &str| it.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        text.split_whitespace().filter_map(pair).collect()
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        let faults = Config::from_variables(&BTreeMap::new()).unwrap_err().0;

        for name in ["TABLE_NAME", "PUBLIC_URL", "SIGNING_KEYS", "AWS_REGION", "AWS_ACCESS_KEY_ID"]
        {
            assert!(faults.iter().any(|fault| fault.contains(name)), "{name}: {faults:?}");
        }
    }

    #[rstest]
    #[case("https://arm.example/", Some("https://arm.example"))]
    #[case("https://arm.example:443", Some("https://arm.example"))]
    #[case("http://localhost:3000", Some("http://localhost:3000"))]
    #[case("https://arm.example/api", None)]
    #[case("https://ana@arm.example", None)]
    #[case("ftp://arm.example", None)]
    #[case("arm.example", None)]
    fn a_public_url_is_an_origin(#[case] text: &str, #[case] parsed: Option<&str>) {
        let url = PublicUrl::try_from(text.to_owned()).ok();

        assert_eq!(url.as_ref().map(PublicUrl::as_str), parsed);
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let variables = variables()
            .into_iter()
            .chain([("AWS_ENDPOINT_URL".to_owned(), String::new())])
            .collect();

        assert_eq!(Config::from_variables(&variables).unwrap().aws.dynamodb_endpoint, None);
    }

    #[rstest]
    #[case::not_set("", Some(30))]
    #[case::raised("500", Some(500))]
    #[case::unlimited("0", None)]
    fn an_operator_limits_the_logins_of_a_network(#[case] text: &str, #[case] limit: Option<u32>) {
        let variables = variables()
            .into_iter()
            .chain([("LOGINS_PER_ADDRESS".to_owned(), text.to_owned())])
            .collect();

        let config = Config::from_variables(&variables).unwrap();
        assert_eq!(config.login_limit, limit.map(RateLimit::per_minute));
    }

    #[test]
    fn the_endpoint_of_dynamodb_takes_precedence_over_the_general_one() {
        let mut variables = variables();
        variables.insert("AWS_ENDPOINT_URL".to_owned(), "http://any".to_owned());
        variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), "http://own".to_owned());

        let endpoint = Config::from_variables(&variables).unwrap().aws.dynamodb_endpoint;
        assert_eq!(endpoint.as_deref(), Some("http://own"));
    }

    #[test]
    fn the_default_renewal_limit_is_the_same_in_days_and_as_a_duration() {
        assert_eq!(parse_renewal_days(DEFAULT_RENEWAL_DAYS), Ok(DEFAULT_RENEWAL_LIMIT));
    }

    #[test]
    fn the_configuration_can_be_printed_without_its_secrets() {
        let mut variables = variables();
        variables.insert("SIGNING_KEYS".to_owned(), "private".to_owned());

        let printed = format!("{:?}", Config::from_variables(&variables).unwrap());
        assert!(!printed.contains("hidden-key") && !printed.contains("private"), "{printed}");
    }
}
