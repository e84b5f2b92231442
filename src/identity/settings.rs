//! The operator's list of identity providers, in JSON. It is secret, because it contains client
//! secrets.

use std::collections::BTreeSet;

use serde::Deserialize;
use url::{Host, Url};

use crate::{
    domain::{id::ProviderId, issuer::is_tenant, secret::Secret},
    identity::{
        oauth::ClientCredentials,
        openid::OpenId,
        provider::{Brand, GOOGLE, Kind, Provider},
    },
};

/// The common prefix of Microsoft's issuers, without the tenant.
const MICROSOFT: &str = "https://login.microsoftonline.com";
/// The names that Microsoft uses for groups of tenants.
const MANY_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];

/// The list of identity providers is invalid. The message has one line for each mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the list of identity providers is invalid:\n  {}", .0.join("\n  "))]
pub struct InvalidProviders(Vec<String>);

/// An entry of the list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    id: String,
    /// The label of the button. Presets have a default.
    label: Option<String>,
    /// A well-known provider, instead of `issuer`.
    preset: Option<Preset>,
    /// The issuer of an OpenID Connect provider without a preset.
    issuer: Option<String>,
    /// Microsoft's tenant: an id, or `common` (the default), `organizations` or `consumers`.
    tenant: Option<String>,
    client_id: String,
    client_secret: String,
    /// The email domains that the provider owns. Only a provider that owns a domain can create or
    /// link an account with an address in it. Addresses in other domains cannot log in with this
    /// provider, unless the list is empty.
    #[serde(default)]
    domains: Vec<String>,
    /// Whether the callback is `/callback/{id}` instead of `/callback`.
    #[serde(default)]
    own_callback: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Preset {
    Google,
    Microsoft,
    Bitbucket,
}

/// Parses the list. An empty text is an empty list.
///
/// # Errors
///
/// [`InvalidProviders`] lists all mistakes.
pub(super) fn parse(settings: &Secret) -> Result<Vec<Provider>, InvalidProviders> {
    if settings.is_empty() {
        return Ok(Vec::new());
    }
    let entries: Result<Vec<Entry>, _> = settings.inspect(|text| serde_json::from_str(text));
    let entries = entries.map_err(|fault| InvalidProviders(vec![describe(&fault)]))?;
    let mut ids = BTreeSet::new();
    let mut providers = Vec::new();
    let mut mistakes = Vec::new();
    for entry in entries {
        let id = entry.id.clone();
        match provider(entry) {
            Ok(provider) if ids.insert(provider.id.clone()) => providers.push(provider),
            Ok(_) => mistakes.push(format!("{id}: another provider has this id")),
            Err(mistake) => mistakes.push(format!("{id}: {mistake}")),
        }
    }
    if mistakes.is_empty() { Ok(providers) } else { Err(InvalidProviders(mistakes)) }
}

/// Returns the position of a mistake in the JSON. The message of `serde_json` could quote a secret.
fn describe(fault: &serde_json::Error) -> String {
    let line = fault.line();
    let column = fault.column();
    format!("not a JSON list of providers, or an unknown member (line {line}, column {column})")
}

fn provider(entry: Entry) -> Result<Provider, String> {
    let id = ProviderId::try_from(entry.id.clone()).map_err(|fault| fault.to_string())?;
    if entry.client_id.is_empty() || entry.client_secret.is_empty() {
        return Err("`clientId` and `clientSecret` must not be empty".to_owned());
    }
    let domains: Vec<_> = entry.domains.iter().map(|it| it.trim().to_lowercase()).collect();
    let (brand, name, kind) = kind(&entry, !domains.is_empty())?;
    Ok(Provider {
        label: entry.label.unwrap_or_else(|| name.unwrap_or(id.as_str()).to_owned()),
        id,
        brand,
        credentials: ClientCredentials {
            id: entry.client_id,
            secret: Secret::from(entry.client_secret),
        },
        domains,
        has_own_callback: entry.own_callback,
        kind,
    })
}

/// Returns the brand, the default label, and how the provider identifies users.
fn kind(entry: &Entry, has_domains: bool) -> Result<(Brand, Option<&'static str>, Kind), String> {
    match (entry.preset, &entry.issuer, &entry.tenant) {
        (Some(Preset::Google), None, None) => {
            let openid = OpenId::new(GOOGLE.to_owned());
            Ok((Brand::Google, Some("Google"), Kind::OpenId(openid)))
        }
        (Some(Preset::Microsoft), None, tenant) => {
            let openid = microsoft(tenant.as_deref().unwrap_or("common"), has_domains)?;
            Ok((Brand::Microsoft, Some("Microsoft"), Kind::OpenId(openid)))
        }
        (Some(Preset::Bitbucket), None, None) => {
            Ok((Brand::Bitbucket, Some("Bitbucket"), Kind::Bitbucket))
        }
        (None, Some(issuer), None) => {
            let openid = OpenId::new(parse_issuer(issuer)?);
            Ok((Brand::Other, None, Kind::OpenId(openid)))
        }
        (None, None, _) => Err("`preset` or `issuer` is missing".to_owned()),
        (Some(_), Some(_), _) => Err("`preset` and `issuer` are mutually exclusive".to_owned()),
        (_, _, Some(_)) => Err("only the preset `microsoft` has a `tenant`".to_owned()),
    }
}

/// Creates the provider Microsoft.
///
/// A tenant's administrator can enter any address in a profile. So an address counts as verified
/// only if a claim says so, or if it is in the operator's own tenant and domains.
fn microsoft(tenant: &str, has_domains: bool) -> Result<OpenId, String> {
    let is_id = is_tenant(tenant);
    let is_multi_tenant = MANY_TENANTS.contains(&tenant);
    if is_id || is_multi_tenant {
        let base_url = format!("{MICROSOFT}/{tenant}/v2.0");
        Ok(OpenId::microsoft(base_url, is_multi_tenant, is_id && has_domains))
    } else {
        Err(format!("`tenant` must be an id, or one of {}", MANY_TENANTS.join(", ")))
    }
}

/// Checks that an issuer is an HTTPS URL, or an HTTP URL on this machine. Removes the trailing
/// slash.
fn parse_issuer(issuer: &str) -> Result<String, String> {
    let url = Url::parse(issuer).map_err(|_| format!("`{issuer}` is not a URL"))?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if is_bare && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback)) {
        Ok(issuer.trim_end_matches('/').to_owned())
    } else {
        Err(format!("`{issuer}` is not of the form https://host/path"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn providers(text: &str) -> Result<Vec<Provider>, InvalidProviders> {
        parse(&Secret::from(text.to_owned()))
    }

    fn entry(members: &str) -> String {
        format!(r#"[{{"id":"acme","clientId":"arm","clientSecret":"hidden",{members}}}]"#)
    }

    #[test]
    fn a_preset_has_a_label_and_a_base_url() {
        for (preset, label, base_url) in [
            ("google", "Google", "https://accounts.google.com"),
            ("microsoft", "Microsoft", "https://login.microsoftonline.com/common/v2.0"),
        ] {
            let provider = providers(&entry(&format!(r#""preset":"{preset}""#))).unwrap().remove(0);

            assert_eq!(provider.label, label);
            assert!(matches!(provider.kind, Kind::OpenId(it) if it.discovery.base_url == base_url));
        }
    }

    #[rstest]
    #[case::an_issuer(r#""issuer":"https://id.acme.test/""#, true)]
    #[case::on_this_machine(r#""issuer":"http://127.0.0.1:4000""#, true)]
    #[case::without_tls(r#""issuer":"http://id.acme.test""#, false)]
    #[case::not_a_url(r#""issuer":"acme""#, false)]
    #[case::neither(r#""label":"Acme""#, false)]
    #[case::both(r#""preset":"google","issuer":"https://id.acme.test""#, false)]
    #[case::a_tenant(
        r#""preset":"microsoft","tenant":"72f988bf-86f1-41af-91ab-2d7cd011db47""#,
        true
    )]
    #[case::not_a_tenant(r#""preset":"microsoft","tenant":"acme/..""#, false)]
    #[case::a_tenant_of_google(r#""preset":"google","tenant":"common""#, false)]
    #[case::a_misspelt_member(r#""preset":"google","domain":["acme.test"]"#, false)]
    fn an_entry_has_either_a_preset_or_an_issuer(#[case] members: &str, #[case] is_valid: bool) {
        assert_eq!(providers(&entry(members)).is_ok(), is_valid);
    }

    #[rstest]
    #[case("72f988bf-86f1-41af-91ab-2d7cd011db47", r#"["acme.test"]"#, true)]
    #[case("72f988bf-86f1-41af-91ab-2d7cd011db47", "[]", false)]
    #[case("common", r#"["acme.test"]"#, false)]
    fn addresses_of_the_operators_own_tenant_and_domains_count_as_verified(
        #[case] tenant: &str,
        #[case] domains: &str,
        #[case] is_verified: bool,
    ) {
        let members = format!(r#""preset":"microsoft","tenant":"{tenant}","domains":{domains}"#);
        let provider = providers(&entry(&members)).unwrap().remove(0);

        let Kind::OpenId(openid) = provider.kind else { panic!("Microsoft has OpenID Connect") };
        assert_eq!(openid.assumes_verified_email, is_verified);
    }

    #[rstest]
    #[case(r#""preset":"google""#, "https://accounts.google.com")]
    #[case(r#""preset":"microsoft""#, "https://login.microsoftonline.com/{tenantid}/v2.0")]
    #[case(
        r#""preset":"microsoft","tenant":"organizations""#,
        "https://login.microsoftonline.com/{tenantid}/v2.0"
    )]
    #[case(
        r#""preset":"microsoft","tenant":"72f988bf-86f1-41af-91ab-2d7cd011db47""#,
        "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"
    )]
    #[case(r#""preset":"bitbucket""#, "https://bitbucket.org")]
    #[case(r#""issuer":"https://id.acme.test/""#, "https://id.acme.test")]
    fn a_provider_has_an_issuer(#[case] members: &str, #[case] issuer: &str) {
        assert_eq!(providers(&entry(members)).unwrap().remove(0).issuer(), issuer);
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        let two = r#"[{"id":"a","issuer":"x","clientId":"arm","clientSecret":"hidden"},
                      {"id":"B","preset":"google","clientId":"arm","clientSecret":"hidden"}]"#;
        let mistakes = providers(two).unwrap_err().to_string();

        assert!(mistakes.contains("\n  a: "), "{mistakes}");
        assert!(mistakes.contains("\n  B: "), "{mistakes}");
        assert!(!mistakes.contains("hidden"), "{mistakes}");
    }

    #[test]
    fn a_provider_is_printed_without_its_secret() {
        let providers = providers(&entry(r#""preset":"google""#)).unwrap();

        assert!(!format!("{providers:?}").contains("hidden"));
    }
}
