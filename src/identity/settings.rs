//! The operator's list of identity providers, as JSON: a secret, since it has theirs.

use std::collections::BTreeSet;

use serde::Deserialize;
use url::{Host, Url};

use crate::{
    domain::{id::ProviderId, issuer::is_tenant, secret::Secret},
    identity::{
        openid::OpenId,
        provider::{Brand, GOOGLE, Kind, Provider},
    },
};

/// Before the tenant in Microsoft's addresses.
const MICROSOFT: &str = "https://login.microsoftonline.com";
/// The tenants of Microsoft that are many.
const MANY_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];

/// The list cannot be used; says all that is wrong with it, one fault a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity providers are wrong:\n  {}", .0.join("\n  "))]
pub struct InvalidProviders(Vec<String>);

/// A provider in the list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    /// Its name in paths.
    id: String,
    /// Its name for people; known for a preset.
    label: Option<String>,
    /// `google`, `microsoft` or `bitbucket`; else `issuer` says where it is.
    preset: Option<Preset>,
    /// Its issuer, in OpenID Connect.
    issuer: Option<String>,
    /// Microsoft's tenant: an id, or `common` (the default), `organizations`, `consumers`.
    tenant: Option<String>,
    client_id: String,
    client_secret: String,
    /// The domains that the provider owns. Only their addresses are let in by it, and they are
    /// let in by no provider that does not own them. All addresses are let in without it.
    #[serde(default)]
    domains: Vec<String>,
    /// Whether it leads people back to `/callback/{id}` instead of `/callback`.
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

/// Reads the list. An empty text is an empty list.
///
/// # Errors
///
/// [`InvalidProviders`] names everything that is wrong.
pub(super) fn parse(settings: &Secret) -> Result<Vec<Provider>, InvalidProviders> {
    if settings.is_empty() {
        return Ok(Vec::new());
    }
    let entries: Vec<Entry> =
        settings.inspect(|text| serde_json::from_str(text)).map_err(|fault| {
            let place = format!("line {}, column {}", fault.line(), fault.column());
            InvalidProviders(vec![format!(
                "not a JSON list of providers, or one with an unknown member ({place})"
            )])
        })?;
    let mut ids = BTreeSet::new();
    let (mut providers, mut wrong) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = entry.id.clone();
        match provider(entry) {
            Ok(provider) if ids.insert(provider.id.clone()) => providers.push(provider),
            Ok(_) => wrong.push(format!("{id}: there are two of this id")),
            Err(fault) => wrong.push(format!("{id}: {fault}")),
        }
    }
    if wrong.is_empty() { Ok(providers) } else { Err(InvalidProviders(wrong)) }
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
        client_id: entry.client_id,
        client_secret: Secret::from(entry.client_secret),
        domains,
        has_own_callback: entry.own_callback,
        kind,
    })
}

/// Whose the provider is, what it is called, and how it tells who has come.
fn kind(entry: &Entry, is_bounded: bool) -> Result<(Brand, Option<&'static str>, Kind), String> {
    match (entry.preset, &entry.issuer, &entry.tenant) {
        (Some(Preset::Google), None, None) => {
            Ok((Brand::Google, Some("Google"), Kind::OpenId(OpenId::at(GOOGLE.to_owned()))))
        }
        (Some(Preset::Microsoft), None, tenant) => {
            let kind = microsoft(tenant.as_deref().unwrap_or("common"), is_bounded)?;
            Ok((Brand::Microsoft, Some("Microsoft"), kind))
        }
        (Some(Preset::Bitbucket), None, None) => {
            Ok((Brand::Bitbucket, Some("Bitbucket"), Kind::Bitbucket))
        }
        (None, Some(issuer), None) => {
            Ok((Brand::Other, None, Kind::OpenId(OpenId::at(address(issuer)?))))
        }
        (None, None, _) => Err("`preset` or `issuer` is missing".to_owned()),
        (Some(_), Some(_), _) => Err("`preset` and `issuer` exclude each other".to_owned()),
        (_, _, Some(_)) => Err("`tenant` is for the preset `microsoft` alone".to_owned()),
    }
}

/// An address of Microsoft's is verified where a claim says so, or where it is of the
/// operator's own tenant and domains: a tenant's administrator can write any address into
/// a profile.
fn microsoft(tenant: &str, is_bounded: bool) -> Result<Kind, String> {
    let is_id = is_tenant(tenant);
    let has_tenants = MANY_TENANTS.contains(&tenant);
    if is_id || has_tenants {
        let address = format!("{MICROSOFT}/{tenant}/v2.0");
        Ok(Kind::OpenId(OpenId::of_microsoft(address, has_tenants, is_id && is_bounded)))
    } else {
        Err(format!("`tenant` is an id, or one of {}", MANY_TENANTS.join(", ")))
    }
}

/// An issuer is reached over TLS; on this machine itself it may do without.
fn address(issuer: &str) -> Result<String, String> {
    let url = Url::parse(issuer).map_err(|_| format!("`{issuer}` is no URL"))?;
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if is_bare && (url.scheme() == "https" || (url.scheme() == "http" && is_here)) {
        Ok(issuer.trim_end_matches('/').to_owned())
    } else {
        Err(format!("`{issuer}` is not of the form https://host/path"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn parsed(text: &str) -> Result<Vec<Provider>, InvalidProviders> {
        parse(&Secret::from(text.to_owned()))
    }

    fn entry(members: &str) -> String {
        format!(r#"[{{"id":"acme","clientId":"arm","clientSecret":"hidden",{members}}}]"#)
    }

    #[test]
    fn the_presets_know_where_their_providers_are() {
        for (preset, label, address) in [
            ("google", "Google", "https://accounts.google.com"),
            ("microsoft", "Microsoft", "https://login.microsoftonline.com/common/v2.0"),
        ] {
            let provider = parsed(&entry(&format!(r#""preset":"{preset}""#))).unwrap().remove(0);

            assert_eq!(provider.label, label);
            assert!(matches!(provider.kind, Kind::OpenId(it) if it.address == address));
        }
    }

    #[rstest]
    #[case::an_issuer(r#""issuer":"https://id.acme.test/""#, true)]
    #[case::on_this_machine(r#""issuer":"http://127.0.0.1:4000""#, true)]
    #[case::without_tls(r#""issuer":"http://id.acme.test""#, false)]
    #[case::no_url(r#""issuer":"acme""#, false)]
    #[case::neither(r#""label":"Acme""#, false)]
    #[case::both(r#""preset":"google","issuer":"https://id.acme.test""#, false)]
    #[case::a_tenant(
        r#""preset":"microsoft","tenant":"72f988bf-86f1-41af-91ab-2d7cd011db47""#,
        true
    )]
    #[case::no_tenant(r#""preset":"microsoft","tenant":"acme/..""#, false)]
    #[case::a_tenant_of_google(r#""preset":"google","tenant":"common""#, false)]
    #[case::a_misspelt_member(r#""preset":"google","domain":["acme.test"]"#, false)]
    fn a_provider_is_said_in_one_way(#[case] members: &str, #[case] is_one: bool) {
        assert_eq!(parsed(&entry(members)).is_ok(), is_one);
    }

    #[rstest]
    #[case("72f988bf-86f1-41af-91ab-2d7cd011db47", r#"["acme.test"]"#, true)]
    #[case("72f988bf-86f1-41af-91ab-2d7cd011db47", "[]", false)]
    #[case("common", r#"["acme.test"]"#, false)]
    fn an_operator_vouches_for_their_own_tenant_and_domains_alone(
        #[case] tenant: &str,
        #[case] domains: &str,
        #[case] is_vouched_for: bool,
    ) {
        let members = format!(r#""preset":"microsoft","tenant":"{tenant}","domains":{domains}"#);
        let provider = parsed(&entry(&members)).unwrap().remove(0);

        assert!(matches!(provider.kind, Kind::OpenId(it) if it.is_vouched_for == is_vouched_for));
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
    fn a_provider_knows_its_issuer(#[case] members: &str, #[case] issuer: &str) {
        assert_eq!(parsed(&entry(members)).unwrap().remove(0).issuer(), issuer);
    }

    #[test]
    fn all_faults_are_named_at_once_and_no_secret_is() {
        let two = r#"[{"id":"a","issuer":"x","clientId":"arm","clientSecret":"hidden"},
                      {"id":"B","preset":"google","clientId":"arm","clientSecret":"hidden"}]"#;
        let fault = parsed(two).unwrap_err().to_string();

        assert!(
            fault.contains("\n  a: ") && fault.contains("\n  B: ") && !fault.contains("hidden"),
            "{fault}"
        );
        assert!(!format!("{:?}", parsed(&entry(r#""preset":"google""#))).contains("hidden"));
    }
}
