//! A grant in hand: the proof that the rules were asked, carried to the place where data is read.

use std::marker::PhantomData;
use std::sync::Arc;

use super::policy::Scope;
use super::principal::Principal;

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
    action: PhantomData<A>,
}

impl<A: Action> Grant<A> {
    pub(super) fn new(layer: Arc<str>, scope: Arc<Scope>, principal: Principal) -> Self {
        Grant { layer, scope, principal, action: PhantomData }
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
}
