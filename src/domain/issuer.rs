//! The issuers of identity providers, and the email domains that they own.

/// The placeholder for the tenant in the issuer of a multi-tenant provider.
pub const ANY_TENANT: &str = "{tenantid}";

/// Whether `issuer` equals `pattern`. [`ANY_TENANT`] in the pattern matches any tenant id.
#[must_use]
pub fn is_issuer(pattern: &str, issuer: &str) -> bool {
    let Some((before, after)) = pattern.split_once(ANY_TENANT) else { return pattern == issuer };
    let tenant = issuer.strip_prefix(before).and_then(|it| it.strip_suffix(after));
    tenant.is_some_and(is_tenant)
}

/// Whether a text has the format of a Microsoft tenant id.
#[must_use]
pub fn is_tenant(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Which provider owns the domain of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainOwner {
    /// The provider of the login.
    ThisProvider,
    /// Another provider. Only that provider can verify the address.
    OtherProvider,
    /// No provider.
    Nobody,
}

/// The email domains that providers own, as the operator configured them.
#[derive(Debug, Default)]
pub struct DomainOwners(Vec<(String, Vec<String>)>);

impl DomainOwners {
    /// Creates the list from issuers and their domains. An issuer may contain [`ANY_TENANT`].
    pub fn new(owners: impl IntoIterator<Item = (String, Vec<String>)>) -> Self {
        Self(owners.into_iter().collect())
    }

    /// Whether an issuer owns a domain.
    #[must_use]
    pub fn owns(&self, issuer: &str, domain: &str) -> bool {
        let issuer = issuer.trim_end_matches('/');
        let is_owner = |pattern: &str| is_issuer(pattern.trim_end_matches('/'), issuer);
        self.0.iter().any(|(owner, owned)| is_owner(owner) && owned.iter().any(|it| it == domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const COMMON: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
    const TENANT: &str =
        "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0";

    #[rstest]
    #[case("https://id.test", "https://id.test", true)]
    #[case("https://id.test", "https://id.test/", false)]
    #[case(COMMON, TENANT, true)]
    #[case(COMMON, "https://login.microsoftonline.com/common/v2.0", false)]
    #[case(
        COMMON,
        "https://login.microsoftonline.com/a/../72f988bf-86f1-41af-91ab-2d7cd01/v2.0",
        false
    )]
    #[case(COMMON, "https://evil.test/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0", false)]
    fn an_issuer_is_the_providers_or_one_of_its_tenants(
        #[case] pattern: &str,
        #[case] issuer: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(is_issuer(pattern, issuer), expected);
    }

    #[rstest]
    #[case::its_own("https://id.test", "acme.test", true)]
    #[case::written_with_a_slash("https://id.test/", "acme.test", true)]
    #[case::a_tenant(TENANT, "other.test", true)]
    #[case::anothers("https://id.test", "other.test", false)]
    #[case::a_subdomain("https://id.test", "eu.acme.test", false)]
    fn an_issuer_owns_the_domains_that_are_listed_for_it(
        #[case] issuer: &str,
        #[case] domain: &str,
        #[case] is_owner: bool,
    ) {
        let owners = [("https://id.test", "acme.test"), (COMMON, "other.test")];
        let owners = owners.map(|(issuer, domain)| (issuer.to_owned(), vec![domain.to_owned()]));

        assert_eq!(DomainOwners::new(owners).owns(issuer, domain), is_owner);
    }
}
