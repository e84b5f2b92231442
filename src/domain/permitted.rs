//! Proof of a permission, which only a check against the policy can create.

use std::marker::PhantomData;

use crate::domain::{
    organization::OrganizationRef,
    policy::{Action, ActionType, OrganizationAction, UserAction},
};

/// A type that actions of the policy apply to.
pub trait Resource {
    /// The actions of its level.
    type Action: Action;
}

/// The platform as a whole. The actions of the user level apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform;

impl Resource for Platform {
    type Action = UserAction;
}

impl Resource for OrganizationRef {
    type Action = OrganizationAction;
}

/// A resource, with the proof that a user may perform the action `A` on it.
///
/// The functions that read or change a noun in the store take this proof, so a forgotten check does
/// not compile, and neither does the check of another action. Only the check against the policy can
/// create a proof:
///
/// ```compile_fail,E0451
/// use std::marker::PhantomData;
///
/// use arm_api::domain::{
///     permitted::{Permitted, Platform},
///     policy::on_platform::AddOrganization,
///     role::UserRole,
/// };
///
/// let action = PhantomData::<AddOrganization>;
/// let forged = Permitted { resource: Platform, role: UserRole::Admin, action };
/// ```
///
/// ```compile_fail,E0624
/// use arm_api::domain::{
///     permitted::{Permitted, Platform},
///     policy::on_platform::AddOrganization,
///     role::UserRole,
/// };
///
/// Permitted::check(Platform, Some(UserRole::Admin), AddOrganization);
/// ```
///
/// ```compile_fail,E0308
/// use arm_api::domain::{
///     permitted::{Permitted, Platform},
///     policy::on_platform::{AddOrganization, Me},
/// };
///
/// fn add_organization(_permitted: &Permitted<Platform, AddOrganization>) {}
///
/// fn with_another_proof(permitted: &Permitted<Platform, Me>) {
///     add_organization(permitted);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Permitted<T: Resource, A> {
    resource: T,
    role: <T::Action as Action>::Role,
    action: PhantomData<A>,
}

/// The user may not perform the action, or the resource does not exist. The error is the same for
/// both, so that it does not reveal whether the resource exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Access denied")]
pub struct AccessDenied;

impl<T: Resource, A: ActionType<Level = T::Action>> Permitted<T, A> {
    /// Checks that a role in a resource allows an action. `None` means that the user has no role.
    ///
    /// # Errors
    ///
    /// [`AccessDenied`] unless the policy allows it.
    pub(super) fn check(
        resource: T,
        role: Option<<T::Action as Action>::Role>,
        _action: A,
    ) -> Result<Self, AccessDenied> {
        let role = role.filter(|it| A::ACTION.is_allowed(*it)).ok_or(AccessDenied)?;
        Ok(Self { resource, role, action: PhantomData })
    }

    /// The resource that the action may be performed on.
    pub fn resource(&self) -> &T {
        &self.resource
    }

    /// The action that is allowed.
    pub fn action(&self) -> T::Action {
        A::ACTION
    }

    /// The role that allows it.
    pub fn role(&self) -> <T::Action as Action>::Role {
        self.role
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{policy::on_platform::AddOrganization, role::UserRole};

    #[test]
    fn a_role_that_allows_an_action_gives_a_proof_of_it() {
        let role = Some(UserRole::Admin);

        let proof = Permitted::check(Platform, role, AddOrganization).unwrap();

        assert_eq!(proof.action(), UserAction::AddOrganization);
        assert_eq!(proof.role(), UserRole::Admin);
    }

    #[test]
    fn a_role_that_does_not_allow_an_action_gives_none() {
        let check = |role| Permitted::check(Platform, role, AddOrganization);

        assert_eq!(check(Some(UserRole::User)).err(), Some(AccessDenied));
        assert_eq!(check(None).err(), Some(AccessDenied));
    }
}
