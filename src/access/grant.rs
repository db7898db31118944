//! A grant in hand: the proof that the rules were asked, carried to the place where data is read.

use std::marker::PhantomData;
use std::sync::Arc;

use super::policy::{Because, Scope};
use super::principal::Principal;
use super::rights::Right;

mod sealed {
    pub trait Sealed {}
}

/// Something one may be granted to do on a layer.
pub trait Action: sealed::Sealed {}

/// Seeing a layer's features, tiles, counts and metadata.
#[derive(Debug, Clone)]
pub struct Read;
/// Loading, publishing, rolling back and describing a layer.
#[derive(Debug, Clone)]
pub struct Edit;

/// Drawing on an annotation layer: adding marks, changing one's own.
#[derive(Debug, Clone)]
pub struct Mark;

/// Changing single features of what a grant shows, for another department's layer.
#[derive(Debug, Clone)]
pub struct Amend;

impl sealed::Sealed for Amend {}
impl Action for Amend {}
impl sealed::Sealed for Read {}
impl sealed::Sealed for Edit {}
impl sealed::Sealed for Mark {}
impl Action for Read {}
impl Action for Edit {}
impl Action for Mark {}

/// What one principal may do on one layer. Only `access` makes one.
#[derive(Debug, Clone)]
pub struct Grant<A: Action> {
    layer: Arc<str>,
    scope: Arc<Scope>,
    principal: Principal,
    /// What it was opened for; none for the layer's description alone.
    right: Option<Right>,
    because: Because,
    action: PhantomData<A>,
}

impl<A: Action> Grant<A> {
    pub(super) fn new(
        layer: Arc<str>,
        scope: Arc<Scope>,
        principal: Principal,
        right: Option<Right>,
        because: Because,
    ) -> Self {
        Grant { layer, scope, principal, right, because, action: PhantomData }
    }
    pub fn layer(&self) -> &str {
        &self.layer
    }
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
    /// The right that it was opened for.
    pub fn right(&self) -> Option<Right> {
        self.right
    }
    /// The rule that opened it.
    pub fn because(&self) -> Because {
        self.because
    }
    /// The number of the grant in the database, where one opened it: not for one's own layers and those that are open to all.
    pub fn number(&self) -> Option<i64> {
        match self.because {
            Because::Granted(id) => Some(id),
            _ => None,
        }
    }
}
