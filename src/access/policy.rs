//! The rules, pure: what a principal may do on a layer, from the layer's class and the grants on it.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::principal::Principal;

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

/// A grant as it stands in the database: the newest valid one of a department counts.
#[derive(Debug, Clone)]
pub struct Permit {
    pub department: Arc<str>,
    pub scope: Arc<Scope>,
    /// Unix seconds; none is without end.
    pub until: Option<i64>,
    pub revoked: bool,
}

/// What of a layer a grant opens. Everything that gives data out applies all three.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The fields that are seen; none means all.
    pub fields: Option<Vec<String>>,
    /// Each named field must hold one of the values.
    pub rows: Vec<(String, Vec<String>)>,
    /// EWKB in EPSG:4490: only what lies inside is seen, lines and polygons are cut at its edge.
    pub area: Option<Arc<[u8]>>,
    pub digest: Digest,
}

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

impl Scope {
    pub fn is_all(&self) -> bool {
        self.fields.is_none() && self.rows.is_empty() && self.area.is_none()
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

/// The rule of sharing. `now` is in Unix seconds.
pub fn standing(principal: &Principal, layer: &Shared, now: i64) -> Standing {
    let everything = || Arc::new(Scope::default());
    let Some(department) = principal.department.as_ref() else {
        return if layer.anonymous { Standing::Reads(everything()) } else { Standing::Unknown };
    };
    if *department == layer.owner {
        return match principal.publishes() {
            true => Standing::Edits,
            false if layer.annotation && principal.annotates() => Standing::Marks,
            false => Standing::Reads(everything()),
        };
    }
    match layer.class {
        ShareClass::NotShared => Standing::Unknown,
        ShareClass::Unconditional => Standing::Reads(everything()),
        ShareClass::Conditional => layer
            .permits
            .iter()
            .rev()
            .find(|p| p.department == *department && !p.revoked && p.until.is_none_or(|until| now < until))
            .map_or(Standing::Visible, |p| Standing::Reads(p.scope.clone())),
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
        let permit = Permit { department: "health".into(), scope: scope.clone(), until: Some(100), revoked: false };
        l.permits.push(permit);
        assert_eq!(standing(&asks, &l, 99), Standing::Reads(scope));
        assert_eq!(standing(&asks, &l, 100), Standing::Visible);
        l.permits[0].revoked = true;
        assert_eq!(standing(&asks, &l, 0), Standing::Visible);
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
        assert_ne!(a.fingerprint(), b.fingerprint());
        assert_ne!(none.fingerprint(), Scope::default().fingerprint());
    }
}
