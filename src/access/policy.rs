//! The rules, pure: what a principal may do on a layer, from the layer's class and the grants on it.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use onemap_cql2::{Filter, Schema};
use serde::{Deserialize, Serialize};

use super::principal::Principal;
use super::rights::{Right, Rights};

/// How a layer's owner shares it with other departments (2017 compilation guide: 共享类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareClass {
    /// 无条件共享: every department may read it.
    Unconditional,
    /// 有条件共享: a department reads it by a grant.
    Conditional,
    /// 不予共享: other departments do not learn that it exists.
    NotShared,
}

impl ShareClass {
    pub const ALL: [ShareClass; 3] = [ShareClass::Unconditional, ShareClass::Conditional, ShareClass::NotShared];
    pub fn name(self) -> &'static str {
        match self {
            ShareClass::Unconditional => "unconditional",
            ShareClass::Conditional => "conditional",
            ShareClass::NotShared => "not_shared",
        }
    }
    pub fn parse(name: &str) -> Option<ShareClass> {
        ShareClass::ALL.into_iter().find(|c| c.name() == name)
    }
}

/// What the rules need to know of a layer.
#[derive(Debug, Clone)]
pub struct Shared {
    pub owner: Arc<str>,
    pub class: ShareClass,
    pub anonymous: bool,
    /// The owner's people draw on it.
    pub annotation: bool,
    pub permits: Vec<Permit>,
}

/// A grant as it stands in the database: of a department's valid ones that give the right that is asked for, the newest counts.
#[derive(Debug, Clone)]
pub struct Permit {
    pub id: i64,
    pub department: Arc<str>,
    pub scope: Arc<Scope>,
    pub rights: Rights,
    /// Unix seconds; none is from the beginning.
    pub from: Option<i64>,
    /// Unix seconds; none is without end.
    pub until: Option<i64>,
    pub revoked: bool,
}

/// Why a grant opens nothing now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lapse {
    NotYet,
    Expired,
    Revoked,
}

impl Permit {
    fn lapse(&self, now: i64) -> Option<Lapse> {
        if self.revoked {
            Some(Lapse::Revoked)
        } else if self.until.is_some_and(|until| until <= now) {
            Some(Lapse::Expired)
        } else {
            self.from.is_some_and(|from| now < from).then_some(Lapse::NotYet)
        }
    }
}

/// What of a layer a grant opens. Everything that gives data out applies all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The fields that are seen; none means all.
    pub fields: Option<Vec<String>>,
    /// Each named field must hold one of the values.
    pub rows: Vec<(String, Vec<String>)>,
    /// CQL2 text over all of the layer's fields, also those that are not seen: it must be true of a row. `layer::scope` reads it.
    pub filter: Option<Arc<str>>,
    /// EWKB in EPSG:4490: only what lies inside is seen, lines and polygons are cut at its edge.
    pub area: Option<Arc<[u8]>>,
    /// The grant that it is of; none when it follows from the layer's class or owner.
    pub issued: Option<Issued>,
    pub digest: Digest,
    pub prepared: Prepared,
}

/// Under which grant something is seen, for the evidence of it.
#[derive(Debug, Clone)]
pub struct Issued {
    pub id: i64,
    pub purpose: Arc<str>,
}

/// Scopes are the same or not whichever grant says so.
impl PartialEq for Issued {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Issued {}

/// A scope's fingerprint, once somebody has asked for it: an area may be large, and every tile asks.
#[derive(Debug, Clone, Default)]
pub struct Digest(OnceLock<u64>);

/// Scopes are the same or not whoever has asked for what.
impl PartialEq for Digest {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Digest {}

/// A scope's filter as it was last read, with the state of the layer that it was read for: every tile asks, and a layer has one state for
/// days.
#[derive(Clone, Default)]
pub struct Prepared(Arc<ArcSwapOption<(u64, Option<Arc<Filter>>)>>);

impl PartialEq for Prepared {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Prepared {}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepared")
    }
}

/// What a scope's filter comes to over a state of its layer.
#[derive(Debug, Clone)]
pub enum RowFilter {
    /// It has none.
    All,
    Only(Arc<Filter>),
    /// It does not fit the state: no row is shown.
    Closed,
}

impl Scope {
    pub fn is_all(&self) -> bool {
        self.fields.is_none() && self.has_all_rows()
    }
    /// Whether every row is shown, whole.
    pub fn has_all_rows(&self) -> bool {
        self.rows.is_empty() && self.filter.is_none() && self.area.is_none()
    }
    /// The filter, typed over a state of the layer that `key` stands for: read once for each.
    pub fn row_filter(&self, key: u64, state: &dyn Schema) -> RowFilter {
        let Some(text) = &self.filter else { return RowFilter::All };
        let known = self.prepared.0.load_full().filter(|known| known.0 == key);
        let known = known.unwrap_or_else(|| {
            // What changes with the clock has no place in a grant: tiles are kept.
            let read = onemap_cql2::parse(text, state).ok().filter(|filter| !filter.depends_on_now());
            let read = Arc::new((key, read.map(Arc::new)));
            self.prepared.0.store(Some(read.clone()));
            read
        });
        known.1.clone().map_or(RowFilter::Closed, RowFilter::Only)
    }
    pub fn sees_field(&self, name: &str) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.iter().any(|f| f == name))
    }
    /// A stable digest: part of every cache key and ETag. A scope does not change once it is made.
    pub fn fingerprint(&self) -> u64 {
        if self.is_all() { 0 } else { *self.digest.0.get_or_init(|| self.hashed()) }
    }

    fn hashed(&self) -> u64 {
        use sha2::Digest;
        let mut hash = sha2::Sha256::new();
        for part in self.fields.iter().flatten() {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update([1, u8::from(self.fields.is_some())]);
        for (field, values) in &self.rows {
            hash.update(field.as_bytes());
            for v in values {
                hash.update([2]);
                hash.update(v.as_bytes());
            }
            hash.update([3]);
        }
        if let Some(filter) = &self.filter {
            hash.update([4]);
            hash.update((filter.len() as u64).to_be_bytes());
            hash.update(filter.as_bytes());
        }
        hash.update(self.area.as_deref().unwrap_or_default());
        let digest = hash.finalize();
        u64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
    }
}

/// Where a principal stands with a layer, weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Does not learn that it exists.
    Unknown,
    /// Sees it in the catalogue and may request it.
    Visible,
    Reads(Arc<Scope>),
    /// Reads all of it, and adds marks of its own to it.
    Marks,
    Edits,
}

/// The rule that decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Nobody is signed in, and the layer is not open to the public.
    NotPublic,
    /// Nobody is signed in, and the layer is open to the public.
    Public,
    /// It is the layer's own department.
    Owner,
    NotShared,
    Unconditional,
    /// The grant of this number.
    Granted(i64),
    /// The newest grant has lapsed, and no other is valid.
    Lapsed(i64, Lapse),
    /// It is read, but not by somebody who changes it.
    NotAWriter,
    /// A grant that is tried out before it is given.
    Proposed,
    /// There are valid grants, the newest being this one, but none gives the right.
    Lacks(i64, Right),
    NoGrant,
}

/// A standing and what led to it.
#[derive(Debug, Clone)]
pub struct Decision {
    pub standing: Standing,
    pub because: Because,
}

/// Where a principal stands whatever it wants to do.
pub fn standing(principal: &Principal, layer: &Shared, now: i64) -> Standing {
    decide(principal, layer, None, now).standing
}

/// The rule of sharing, for one right or, without one, for whether there is any. `now` is in Unix seconds.
pub fn decide(principal: &Principal, layer: &Shared, right: Option<Right>, now: i64) -> Decision {
    let reads = |scope: Arc<Scope>, because| Decision { standing: Standing::Reads(scope), because };
    let writes = right == Some(Right::Write);
    let everything = |because| match writes {
        // What is open to all is not open to be changed, nor is it by everybody of its own department.
        true => Decision { standing: Standing::Visible, because: Because::NotAWriter },
        false => reads(Arc::default(), because),
    };
    let Some(department) = principal.department.as_ref() else {
        return match layer.anonymous {
            true => everything(Because::Public),
            false => Decision { standing: Standing::Unknown, because: Because::NotPublic },
        };
    };
    if *department == layer.owner {
        return match principal.publishes() {
            true => Decision { standing: Standing::Edits, because: Because::Owner },
            false if layer.annotation && principal.annotates() => {
                Decision { standing: Standing::Marks, because: Because::Owner }
            }
            false => everything(Because::Owner),
        };
    }
    match layer.class {
        ShareClass::NotShared => Decision { standing: Standing::Unknown, because: Because::NotShared },
        ShareClass::Unconditional => everything(Because::Unconditional),
        ShareClass::Conditional => {
            let held = || layer.permits.iter().rev().filter(|p| p.department == *department);
            let valid = || held().filter(|p| p.lapse(now).is_none());
            match valid().find(|p| right.is_none_or(|right| p.rights.has(right))) {
                // Keys stand in web pages.
                Some(_) if writes && !principal.publishes() => {
                    Decision { standing: Standing::Visible, because: Because::NotAWriter }
                }
                Some(permit) => reads(permit.scope.clone(), Because::Granted(permit.id)),
                None => Decision {
                    standing: Standing::Visible,
                    because: refused(held().next(), valid().next(), right, now),
                },
            }
        }
    }
}

fn refused(newest: Option<&Permit>, valid: Option<&Permit>, right: Option<Right>, now: i64) -> Because {
    match (valid, right, newest) {
        (Some(permit), Some(right), _) => Because::Lacks(permit.id, right),
        (_, _, Some(permit)) => permit.lapse(now).map_or(Because::NoGrant, |lapse| Because::Lapsed(permit.id, lapse)),
        _ => Because::NoGrant,
    }
}

#[cfg(test)]
mod tests {
    use super::super::principal::{Role, Who};
    use super::*;

    fn person(department: &str, role: Role) -> Principal {
        Principal {
            who: Who::Person { id: 1, login: "a".into(), name: "a".into(), role },
            department: Some(department.into()),
        }
    }
    fn layer(class: ShareClass) -> Shared {
        Shared { owner: "housing".into(), class, anonymous: false, annotation: false, permits: vec![] }
    }

    #[test]
    fn what_is_not_shared_is_unknown_to_others_even_to_the_administrator() {
        let l = layer(ShareClass::NotShared);
        assert_eq!(standing(&person("data", Role::PlatformAdministrator), &l, 0), Standing::Unknown);
        assert_eq!(standing(&Principal::anonymous(), &l, 0), Standing::Unknown);
        assert!(matches!(standing(&person("housing", Role::User), &l, 0), Standing::Reads(_)));
        assert_eq!(standing(&person("housing", Role::Publisher), &l, 0), Standing::Edits);
    }

    #[test]
    fn a_grant_ends_by_term_or_revocation() {
        let mut l = layer(ShareClass::Conditional);
        let asks = person("health", Role::Publisher);
        assert_eq!(standing(&asks, &l, 0), Standing::Visible);
        let scope = Arc::new(Scope { fields: Some(vec!["name".into()]), ..Scope::default() });
        l.permits.push(Permit { scope: scope.clone(), from: Some(50), until: Some(100), ..permit(7) });
        assert_eq!(standing(&asks, &l, 49), Standing::Visible);
        assert_eq!(decide(&asks, &l, None, 49).because, Because::Lapsed(7, Lapse::NotYet));
        assert_eq!(standing(&asks, &l, 99), Standing::Reads(scope));
        assert_eq!(standing(&asks, &l, 100), Standing::Visible);
        assert_eq!(decide(&asks, &l, None, 100).because, Because::Lapsed(7, Lapse::Expired));
        l.permits[0].revoked = true;
        assert_eq!(standing(&asks, &l, 60), Standing::Visible);
        assert_eq!(decide(&asks, &l, None, 60).because, Because::Lapsed(7, Lapse::Revoked));
    }

    #[test]
    fn of_grants_the_newest_with_the_right_counts() {
        let mut l = layer(ShareClass::Conditional);
        let asks = person("health", Role::User);
        let narrow = Arc::new(Scope { fields: Some(vec![]), ..Scope::default() });
        l.permits.push(Permit { rights: Rights::of_names(&["query"]), scope: narrow.clone(), ..permit(1) });
        l.permits.push(Permit { rights: Rights::of_names(&["view"]), ..permit(2) });
        let of = |right| decide(&asks, &l, Some(right), 0).because;
        assert_eq!(of(Right::View), Because::Granted(2));
        assert_eq!(of(Right::Query), Because::Granted(1));
        assert_eq!(of(Right::Export), Because::Lacks(2, Right::Export));
        l.permits.push(Permit { rights: Rights::of_names(&["write"]), ..permit(3) });
        let of = |asks, right| decide(&asks, &l, Some(right), 0).because;
        assert_eq!(of(person("health", Role::User), Right::Write), Because::NotAWriter);
        assert_eq!(of(person("health", Role::Publisher), Right::Write), Because::Granted(3));
        assert_eq!(of(person("housing", Role::User), Right::Write), Because::NotAWriter);
        assert_eq!(decide(&asks, &l, Some(Right::Query), 0).standing, Standing::Reads(narrow));
        // Without one that is asked for, there is something to see all the same.
        assert!(matches!(standing(&asks, &l, 0), Standing::Reads(_)));
    }

    fn permit(id: i64) -> Permit {
        Permit {
            id,
            department: "health".into(),
            scope: Arc::default(),
            rights: Rights::default(),
            from: None,
            until: None,
            revoked: false,
        }
    }

    #[test]
    fn the_owners_people_draw_on_an_annotation_layer_and_nobody_else_does() {
        let mut l = layer(ShareClass::Unconditional);
        l.annotation = true;
        assert_eq!(standing(&person("housing", Role::User), &l, 0), Standing::Marks);
        assert_eq!(standing(&person("housing", Role::Publisher), &l, 0), Standing::Edits);
        let key = Who::Key { id: uuid::Uuid::nil(), label: "page".into() };
        let key = Principal { who: key, department: Some("housing".into()) };
        for reads in [person("housing", Role::Auditor), person("health", Role::Publisher), key] {
            assert!(matches!(standing(&reads, &l, 0), Standing::Reads(_)), "{reads:?}");
        }
    }

    #[test]
    fn sharing_is_not_publishing() {
        let mut l = layer(ShareClass::Unconditional);
        assert_eq!(standing(&Principal::anonymous(), &l, 0), Standing::Unknown);
        l.anonymous = true;
        assert!(matches!(standing(&Principal::anonymous(), &l, 0), Standing::Reads(_)));
    }

    #[test]
    fn different_scopes_have_different_fingerprints() {
        let a = Scope { fields: Some(vec!["ab".into(), "c".into()]), ..Scope::default() };
        let b = Scope { fields: Some(vec!["a".into(), "bc".into()]), ..Scope::default() };
        let none = Scope { fields: Some(vec![]), ..Scope::default() };
        let filtered = |text: &str| Scope { filter: Some(text.into()), ..Scope::default() };
        assert_ne!(filtered("a = 1").fingerprint(), filtered("a = 2").fingerprint());
        assert_ne!(filtered("a = 1").fingerprint(), Scope::default().fingerprint());
        assert_ne!(a.fingerprint(), b.fingerprint());
        assert_ne!(none.fingerprint(), Scope::default().fingerprint());
    }
}
